import { tellQueue, tellSlack } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import type { Row, RowChange } from '../db/tables.ts';
import type { AttemptEnd } from '../domain/retry.ts';
import { backoffAfter, isTriedAgain } from '../domain/retry.ts';

/**
 * Owes the next attempt of an action whose last one has failed, or gives null where it is not tried again. When it may
 * start is decided here, once, and stored. The row must be locked, and the command of the failed attempt ended.
 */
export async function tryAgain(
  tx: Tx,
  input: {
    action: Row<'actions'>;
    end: AttemptEnd;
    failureCode: string;
    actor: string;
    /** More columns to set, and more facts for the audit. */
    set?: RowChange<'actions'>;
    data: Record<string, unknown>;
  },
): Promise<Row<'actions'> | null> {
  const { action, end, failureCode } = input;
  const { retry: policy, attempt } = action;
  if (policy === null || action.cancel_requested_at !== null) return null;
  if (!isTriedAgain({ policy, attempt, end })) return null;
  const nextMs = Date.now() + backoffAfter({ policy, attempt, random: Math.random() });
  const nextAttemptAt = new Date(nextMs);
  const expiresAt = new Date(nextMs + action.start_within_s * 1000);
  const next = { attempt: attempt + 1, next_attempt_at: nextAttemptAt, expires_at: expiresAt };
  const change = { from: [action.status], to: 'executing', set: { ...input.set, ...next } } as const;
  const again = await transitionAction(tx, { id: action.id, ...change });
  tx.audit({
    actor: input.actor,
    via: end.status === 'lost' ? 'workflow' : 'agent',
    event: 'action.attempt_failed',
    subject: { type: 'action', id: action.id },
    data: {
      ...input.data,
      attempt,
      code: failureCode,
      next_attempt_at: nextAttemptAt.toISOString(),
      expires_at: expiresAt.toISOString(),
    },
  });
  await tellSlack(tx, { actionId: action.id });
  await tellQueue(tx, action.server_id);
  return again;
}
