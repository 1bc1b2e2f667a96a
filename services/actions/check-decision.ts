import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import { ConflictError, NotAllowedError, UnavailableError } from '../../domain/errors.ts';
import type { MedicError } from '../../domain/errors.ts';
import { isEnded } from '../../domain/lifecycle.ts';
import type { DecisionKind, Judgement } from '../../domain/policy.ts';
import { judgeDecision } from '../../domain/policy.ts';
import type { Asker, Membership } from '../../domain/principal.ts';
import { mayDo } from '../../domain/roles.ts';
import type { Context } from '../context.ts';
import { findMembership, findStanding } from '../slack/directory.ts';
import type { ActionView } from './action-view.ts';
import { describeEnd } from './describe-end.ts';
import { findActionView, unknownAction } from './read-actions.ts';

export interface DecisionCheck {
  actionId: string;
  kind: DecisionKind;
  breakGlass?: boolean | undefined;
}

export interface CheckedDecision {
  action: ActionView;
  /** Of the groups that may approve, those the asker stands for. */
  groups: readonly string[];
}

/**
 * May the asker decide this now? Changes nothing but the audit, which keeps each refusal as `decision.refused`. For a
 * form that is to be opened, too: its submission is judged again.
 *
 * Throws NotFoundError; ConflictError (`already_ended`, `already_decided`); NotAllowedError or, where Slack could not
 * be asked, UnavailableError, with the code of judgeDecision.
 */
export async function checkDecision(ctx: Context, asker: Asker, input: DecisionCheck): Promise<CheckedDecision> {
  const action = await findActionView(ctx, input.actionId);
  if (action === null) throw unknownAction(input.actionId);
  const { judgement, membership } = await judge(ctx, { asker, action, input });
  const mayKnow = judgement.isAllowed || judgement.code === 'already_decided';
  const isOver = isEnded(action.status) || (input.kind !== 'cancel' && action.status !== 'pending');
  if (isOver && mayKnow) throw conflict(action, isEnded(action.status) ? 'already_ended' : 'already_decided');
  if (judgement.isAllowed) return { action, groups: membership.groups };
  const { code } = judgement;
  await transact(ctx.database, 'decision.refuse', (tx) =>
    Promise.resolve(auditRefusal(tx, { asker, action, kind: input.kind, code })),
  );
  if (!mayKnowOf(asker, action)) throw toError(judgement, {});
  const sentence = isOver ? `${judgement.sentence} ${describeEnd(action)}` : judgement.sentence;
  throw toError({ ...judgement, sentence }, { status: action.status });
}

/** Slack is asked only about deciding: cancelling is the safe side, and must work while Slack is away. */
async function judge(
  ctx: Context,
  question: { asker: Asker; action: ActionView; input: DecisionCheck },
): Promise<{ judgement: Judgement; membership: Membership }> {
  const { asker, action, input } = question;
  const isAsked = input.kind !== 'cancel';
  const [standing, membership] = await Promise.all([
    isAsked ? findStanding(ctx, asker.principal) : ('none' as const),
    findMembership(ctx, asker.principal, isAsked ? action.approvalFrom : null),
  ]);
  const { status, requestedBy, approvalFrom, approvals } = action;
  const { distinctGroups } = action.requirement;
  const judgement = judgeDecision({
    kind: input.kind,
    asker,
    action: { status, requestedBy, approvalFrom, approvals, distinctGroups },
    membership,
    standing,
    isBreakGlass: input.breakGlass === true,
  });
  return { judgement, membership };
}

function toError(refusal: Exclude<Judgement, { isAllowed: true }>, details: Record<string, unknown>): MedicError {
  const { code, sentence } = refusal;
  if (code === 'already_decided') return new ConflictError(sentence, { code, details });
  if (code.endsWith('_lookup_failed')) return new UnavailableError(sentence, { code, details });
  return new NotAllowedError(sentence, { code, details });
}

/** Who may read only its own requests is refused like anyone, but not told the state of others'. */
function mayKnowOf(asker: Asker, action: ActionView): boolean {
  const isReader = mayDo(asker.roles, 'actions.read') || !mayDo(asker.roles, 'actions.read_own');
  return isReader || action.requestedBy === asker.principal.name;
}

/** Keeps who tried what, and why not. */
export function auditRefusal(
  tx: Tx,
  input: { asker: Asker; action: ActionView; kind: DecisionKind; code: string },
): void {
  tx.audit({
    actor: input.asker.principal.name,
    via: input.asker.via,
    event: 'decision.refused',
    subject: { type: 'action', id: input.action.id },
    data: { kind: input.kind, code: input.code },
  });
}

export function conflict(action: ActionView, code: string): ConflictError {
  // its window has closed, and its workflow has yet to say so
  const isPending = action.status === 'pending';
  const what = `${action.playbook} on ${action.server}`;
  const details = { status: action.status };
  if (isPending && code === 'expired') {
    return new ConflictError(`The time to decide ${what} is over: ask again.`, { code, details });
  }
  if (isPending && code === 'group_already_heard') {
    const sentence = `Somebody of your group approved ${what} just before you, and each approval must come from another group.`;
    return new ConflictError(sentence, { code, details });
  }
  return new ConflictError(describeEnd(action), { code, details });
}
