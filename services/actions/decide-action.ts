import { randomUUID } from 'node:crypto';
import { transact } from '../../db/orm.ts';
import { listDecisions, recordDecision } from '../../db/repositories/decision.repository.ts';
import { ConflictError, InvalidInputError, NotAllowedError } from '../../domain/errors.ts';
import { isEnded } from '../../domain/lifecycle.ts';
import type { DecisionKind } from '../../domain/policy.ts';
import { judgeDecision } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import { mayDo } from '../../domain/roles.ts';
import type { Context } from '../context.ts';
import type { ActionView } from './action-view.ts';
import { describeEnd } from './describe-end.ts';
import { findActionView, unknownAction } from './read-actions.ts';
import { readReason } from './reason.ts';
import { submitDecision } from './submit-decision.ts';

export interface DecisionInput {
  actionId: string;
  reason?: string | undefined;
  /** What the person saw; another digest than the action's is refused. */
  playbookDigest?: string | undefined;
  /** Stable for a click that is delivered twice; a new one where the caller has none. */
  decisionId?: string | undefined;
}

export interface DecisionOutcome {
  /** `recorded`: Temporal is away; the decision stands and is applied once it is back. */
  outcome: 'applied' | 'recorded';
  action: ActionView;
  /** For the person who decided. */
  sentence: string;
}

/**
 * Approves or rejects: who may is judged now, the click is recorded, then the workflow decides. The same `decisionId`
 * again gives the same answer and changes nothing.
 *
 * Throws NotFoundError; NotAllowedError (`own_request`, `not_an_approver`, `not_in_group`), audited as
 * `decision.refused`; ConflictError (`already_ended`, `already_decided`, `expired`, `playbook_changed`);
 * InvalidInputError `reason_missing`.
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
  const decisions = await listDecisions(ctx.database, found.id);
  const repeated = decisions.find(({ id }) => id === decisionId);
  if (repeated === undefined) {
    await judge(ctx, { asker, action: found, input, decidedBy: namesOf(decisions) });
    await transact(ctx.database, (tx) =>
      recordDecision(tx, {
        id: decisionId,
        action_id: found.id,
        kind,
        principal: asker.principal.name,
        via: asker.via,
        reason,
        playbook_digest: input.playbookDigest ?? null,
      }),
    );
  }
  const answer = await submitDecision(ctx, { actionId: found.id, decisionId });
  const action = (await findActionView(ctx, found.id)) ?? found;
  if (answer === null) return { outcome: 'recorded', action, sentence: describeRecorded(kind) };
  if (!answer.wasApplied) throw conflict(action, answer.code ?? 'already_decided');
  return { outcome: 'applied', action, sentence: describeApplied(kind, action) };
}

/** Who may read only its own requests is refused like anyone, but not told the state of others'. */
function mayKnowOf(asker: Asker, action: ActionView): boolean {
  const isReader = mayDo(asker.roles, 'actions.read') || !mayDo(asker.roles, 'actions.read_own');
  return isReader || action.requestedBy === asker.principal.name;
}

function namesOf(decisions: Awaited<ReturnType<typeof listDecisions>>): string[] {
  return decisions.filter(({ status, kind }) => status === 'applied' && kind !== 'cancel').map((row) => row.principal);
}

/** Ended is told first: it is true for everyone, and no matter of rights. */
async function judge(
  ctx: Context,
  input: { asker: Asker; action: ActionView; input: DecisionInput & { kind: DecisionKind }; decidedBy: string[] },
): Promise<void> {
  const { asker, action, decidedBy } = input;
  const { kind, playbookDigest } = input.input;
  const judgement = judgeDecision({
    kind,
    asker,
    action: { status: action.status, requestedBy: action.requestedBy, approvalFrom: action.approvalFrom, decidedBy },
  });
  const mayKnow = judgement.isAllowed || judgement.code === 'already_decided';
  const isOver = isEnded(action.status) || (kind !== 'cancel' && action.status !== 'pending');
  if (isOver && mayKnow) throw conflict(action, isEnded(action.status) ? 'already_ended' : 'already_decided');
  if (!judgement.isAllowed) {
    await recordRefusal(ctx, { asker, action, kind, code: judgement.code });
    const details = mayKnowOf(asker, action) ? { status: action.status } : {};
    const options = { code: judgement.code, details };
    throw judgement.code === 'already_decided'
      ? new ConflictError(judgement.sentence, options)
      : new NotAllowedError(judgement.sentence, options);
  }
  if (playbookDigest !== undefined && playbookDigest !== action.playbookDigest) {
    throw new ConflictError(`The playbook ${action.playbook} is another one than you were shown: ask again.`, {
      code: 'playbook_changed',
      details: { playbook_digest: action.playbookDigest },
    });
  }
}

async function recordRefusal(
  ctx: Context,
  input: { asker: Asker; action: ActionView; kind: DecisionKind; code: string },
): Promise<void> {
  await transact(ctx.database, (tx) => {
    tx.audit({
      actor: input.asker.principal.name,
      via: input.asker.via,
      event: 'decision.refused',
      subject: { type: 'action', id: input.action.id },
      data: { kind: input.kind, code: input.code },
    });
    return Promise.resolve();
  });
}

function conflict(action: ActionView, code: string): ConflictError {
  // its window has closed, and its workflow has yet to say so
  const isClosing = code === 'expired' && action.status === 'pending';
  const sentence = isClosing ? `The time to decide ${action.playbook} on ${action.server} is over: ask again.` : null;
  return new ConflictError(sentence ?? describeEnd(action), { code, details: { status: action.status } });
}

function describeRecorded(kind: DecisionKind): string {
  const what = { approve: 'approval', reject: 'rejection', cancel: 'cancellation' }[kind];
  return `Your ${what} is recorded. Temporal is away: it takes effect once it is back, unless the action has ended by then.`;
}

function describeApplied(kind: DecisionKind, action: ActionView): string {
  const what = `${action.playbook} on ${action.server}`;
  if (kind === 'reject') return `You rejected ${what}.`;
  if (kind === 'cancel') {
    return action.status === 'cancelled'
      ? `You cancelled ${what}.`
      : `You asked ${action.server} to stop ${action.playbook}; it ends when the agent has proved it stopped.`;
  }
  if (action.status !== 'pending') return `You approved ${what}.`;
  return `You approved ${what} (${action.approvals.length} of ${action.approvalsRequired}).`;
}
