import { transact } from '../../db/orm.ts';
import type { Context } from '../context.ts';

export interface RefusedAttempt {
  slackUserId: string;
  /** Why not: `unknown_person`, `foreign_workspace`, `forged_click`. */
  code: string;
  /** What was tried: a verb or a button. */
  tried: string;
  actionId?: string | undefined;
  /** The principal, where the person is one. */
  actor?: string | undefined;
}

/** Keeps that somebody tried what they may not, before it came to a decision. Nothing else changes. */
export async function recordRefusedAttempt(ctx: Pick<Context, 'database'>, attempt: RefusedAttempt): Promise<void> {
  const { slackUserId, code, tried, actionId, actor = 'unknown' } = attempt;
  await transact(ctx.database, 'decision.refuse', (tx) => {
    tx.audit({
      actor,
      via: 'slack',
      event: 'decision.refused',
      subject: actionId === undefined ? { type: 'slack_user', id: slackUserId } : { type: 'action', id: actionId },
      data: { slack_user_id: slackUserId, code, tried },
    });
    return Promise.resolve();
  });
}
