import type { DecisionState } from './activities.contract.ts';

/** One workflow per action; its id makes a second start of the same action impossible. */
export const ACTION_WORKFLOW = 'actionWorkflow';

export const TASK_QUEUE = 'medic';

export function actionWorkflowId(actionId: string): string {
  return `action/${actionId}`;
}

export interface ActionWorkflowInput {
  actionId: string;
  /** Approved by `auto`: no person is needed. Fixed when the action was requested. */
  isAutomatic: boolean;
  /** End of the approval window, Unix ms. */
  deadlineAtMs: number;
  /** The row is ahead of this workflow: its history was lost with a Temporal store. It reads the state first. */
  isResumed: boolean;
}

/** Update `decide`: argument is the id of a recorded decision, which is also the update's id. */
export const DECIDE_UPDATE = 'decide';
export type DecisionAnswer = DecisionState;
/** Type of the failure by which the validator refuses: nothing can be decided any more. */
export const ALREADY_ENDED = 'already_ended';

/** Signal `executing`: the agent says it holds this command. */
export const EXECUTING_SIGNAL = 'executing';
/** Signal `result`: a result of this command is stored and waits to be adopted. */
export const RESULT_SIGNAL = 'result';

export interface CommandFact {
  commandId: string;
}
