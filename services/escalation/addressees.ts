import type { EscalationStep } from '../../domain/policy.ts';
import { UnavailableError } from '../../domain/errors.ts';
import type { ActionView } from '../actions/action-view.ts';
import { judgeApprover } from '../actions/approvers.ts';
import { findActionView } from '../actions/read-actions.ts';
import type { Context } from '../context.ts';

/** Slack could not be asked: whether somebody may is judged again when the message is sent. */
const UNPROVEN = ['slack_lookup_failed', 'group_lookup_failed'];

/**
 * Whom a step of a ladder writes to, by name: each who may decide, or of a backup group each who may once it has joined;
 * only who has a user id in Slack. Those of whom Slack cannot say it now are among them: `readAsk` judges again.
 */
export async function listAddressees(
  ctx: Context,
  { action, step }: { action: ActionView; step: EscalationStep },
): Promise<string[]> {
  if (step.kind === 'thread') return [];
  const subject = step.kind === 'group' ? { ...action, approvalFrom: [step.group] } : action;
  const people = [...ctx.config.current().principals.values()].filter(({ slackUserId }) => slackUserId !== null);
  const answers = await Promise.all(people.map((person) => judgeApprover(ctx, subject, person)));
  return people.flatMap(({ name }, index) => {
    const answer = answers[index];
    const isTold = answer !== undefined && (answer.isAllowed || UNPROVEN.includes(answer.code));
    return isTold ? [name] : [];
  });
}

/**
 * The action and where to write, where it still waits for this person; null where they may not decide it (any more).
 * Throws UnavailableError `slack_lookup_failed` where Slack cannot say: ask again later.
 */
export async function readAsk(
  ctx: Context,
  ask: { actionId: string; principal: string },
): Promise<{ action: ActionView; slackUserId: string } | null> {
  const person = ctx.config.current().principals.get(ask.principal);
  const action = await findActionView(ctx, ask.actionId);
  if (person === undefined || person.slackUserId === null || action === null || !isOpen(action)) return null;
  const answer = await judgeApprover(ctx, action, person);
  if (answer.isAllowed) return { action, slackUserId: person.slackUserId };
  if (!UNPROVEN.includes(answer.code)) return null;
  throw new UnavailableError(`Slack cannot say whether ${person.name} may decide.`, { code: 'slack_lookup_failed' });
}

/** The time to decide is not over. */
export function isOpen(action: ActionView): boolean {
  return action.status === 'pending' && (action.expiresAt === null || action.expiresAt.getTime() > Date.now());
}
