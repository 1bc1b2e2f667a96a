import type { ActionStatus } from '../../domain/lifecycle.ts';

/**
 * What the row really is after a local activity; the workflow adopts it. `deadlineAtMs` (Unix ms, by the database's
 * clock) is when to look again: the end of the approval window, of the time to start, or of the time to answer.
 */
export interface ActionState {
  status: ActionStatus;
  deadlineAtMs: number;
}

export interface DecisionState extends ActionState {
  wasApplied: boolean;
  /** Why it was not applied, else null. */
  code: string | null;
}

/**
 * The database writes of a workflow. Each is compare-and-set and may run twice: the second time changes nothing and
 * gives the same state.
 */
export interface ActionActivities {
  approveAutomatically(actionId: string): Promise<ActionState>;
  applyDecision(decisionId: string): Promise<DecisionState>;
  markExecuting(input: { actionId: string; commandId: string }): Promise<ActionState>;
  adoptResult(input: { actionId: string; commandId: string }): Promise<ActionState>;
  enforceDeadline(actionId: string): Promise<ActionState>;
}
