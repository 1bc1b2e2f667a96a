import { randomUUID } from 'node:crypto';
import { findDecisionById } from '../../db/repositories/decision.repository.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { DecisionKind } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import type { ActionView } from './action-view.ts';
import { conflict } from './check-decision.ts';
import { findActionView, unknownAction } from './read-actions.ts';
import { readReason } from './reason.ts';
import { recordDecision } from './record-decision.ts';
import { submitDecision } from './submit-decision.ts';

export interface DecisionInput {
  actionId: string;
  reason?: string | undefined;
  /** What the person saw; another digest than the action's is refused. */
  playbookDigest?: string | undefined;
  /** Stable for what is delivered twice; a new one where the caller has none. */
  decisionId?: string | undefined;
  /** The server's name, typed: asked for by risk high and critical. */
  confirmServer?: string | undefined;
  /** A one-time code: asked for by risk critical. */
  totp?: string | undefined;
  /** An admin's approval past quorum, group and one-time code, with a reason; told in the channel. */
  breakGlass?: boolean | undefined;
  /** Called once the decision is a row, before the workflow hears of it: from here on it is not lost. */
  onRecorded?: (() => void) | undefined;
}

export interface DecisionOutcome {
  /** `recorded`: Temporal is away; the decision stands and is applied once it is back. */
  outcome: 'applied' | 'recorded';
  action: ActionView;
  /** For the person who decided. */
  sentence: string;
}

/**
 * Approves or rejects: who may is judged now, the decision is recorded, then the workflow decides. The same `decisionId`
 * again gives the same answer and changes nothing.
 *
 * Throws what checkDecision and recordDecision throw; ConflictError (`already_ended`, `already_decided`, `expired`,
 * `group_already_heard`); InvalidInputError `reason_missing`.
 */
export async function decideAction(
  ctx: Context,
  asker: Asker,
  input: DecisionInput & { kind: 'approve' | 'reject' },
): Promise<DecisionOutcome> {
  if (input.kind === 'reject' && (input.reason?.trim() ?? '') === '') {
    throw new InvalidInputError('A rejection needs a reason: reason="…".', {
      code: 'reason_missing',
      fields: [{ path: 'reason', message: 'A rejection needs a reason.', code: 'reason_missing' }],
    });
  }
  return decide(ctx, asker, input);
}

/** Cancels, or withdraws one's own request. What runs is asked to stop, and ends when its agent proves it dead. */
export function cancelAction(ctx: Context, asker: Asker, input: DecisionInput): Promise<DecisionOutcome> {
  return decide(ctx, asker, { ...input, kind: 'cancel' });
}

async function decide(
  ctx: Context,
  asker: Asker,
  input: DecisionInput & { kind: DecisionKind },
): Promise<DecisionOutcome> {
  const { kind } = input;
  const reason = readReason(input.reason);
  const found = await findActionView(ctx, input.actionId);
  if (found === null) throw unknownAction(input.actionId);
  const decisionId = input.decisionId ?? randomUUID();
  const repeated = await findDecisionById(ctx.database, decisionId);
  if (repeated?.action_id !== found.id) await recordDecision(ctx, asker, { ...input, reason, decisionId });
  input.onRecorded?.();
  const answer = await submitDecision(ctx, { actionId: found.id, decisionId });
  const action = (await findActionView(ctx, found.id)) ?? found;
  if (answer === null) return { outcome: 'recorded', action, sentence: describeRecorded(kind) };
  if (!answer.wasApplied) throw conflict(action, answer.code ?? 'already_decided');
  return { outcome: 'applied', action, sentence: describeApplied(input, action) };
}

function describeRecorded(kind: DecisionKind): string {
  const what = { approve: 'approval', reject: 'rejection', cancel: 'cancellation' }[kind];
  return `Your ${what} is recorded. Temporal is away: it takes effect once it is back, unless the action has ended by then.`;
}

function describeApplied(input: { kind: DecisionKind; breakGlass?: boolean | undefined }, action: ActionView): string {
  const { kind, breakGlass } = input;
  const what = `${action.playbook} on ${action.server}`;
  if (kind === 'reject') return `You rejected ${what}.`;
  if (kind === 'cancel') {
    if (action.status === 'failed') return `You cancelled ${what}, but nobody can say that nothing of it runs.`;
    return action.status === 'cancelled'
      ? `You cancelled ${what}.`
      : `You asked ${action.server} to stop ${action.playbook}; it ends when the agent has proved it stopped.`;
  }
  if (breakGlass === true) return `You broke the glass and approved ${what}. The channel is told.`;
  if (action.status !== 'pending') return `You approved ${what}.`;
  return `You approved ${what} (${action.approvals.length} of ${action.approvalsRequired}).`;
}
