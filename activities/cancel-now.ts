import { tellEnd } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import type { Row, RowChange } from '../db/tables.ts';
import type { Via } from '../domain/audit.ts';
import { holdBackFailing } from './hold-back.ts';

export interface Cancellation {
  by: string;
  via: Via;
  reason?: string | null;
  code?: string | null;
}

/**
 * Ends an action whose last attempt was lost with its agent, before the next one: nobody can say that nothing of it runs,
 * so it has failed, `cancel_unconfirmed`. The row must be locked.
 */
export async function cancelLost(tx: Tx, action: Row<'actions'>, input: Cancellation): Promise<Row<'actions'>> {
  const { by, via, reason = null } = input;
  const code = 'cancel_unconfirmed';
  const failed = await transitionAction(tx, {
    id: action.id,
    from: [action.status],
    to: 'failed',
    set: { cancelled_by: by, cancel_reason: reason, cancel_requested_at: new Date(), failure_code: code },
  });
  tx.audit({
    actor: by,
    via,
    event: 'action.failed',
    subject: { type: 'action', id: action.id },
    data: { code, reason },
  });
  await holdBackFailing(tx, failed ?? action);
  await tellEnd(tx, { action: failed ?? action, isNotice: true });
  return failed ?? action;
}

/**
 * Ends an action of which nothing can be running: it was not handed out, or its agent proved it dead. The row must be
 * locked.
 */
export async function cancelNow(
  tx: Tx,
  action: Row<'actions'>,
  input: Cancellation & {
    /** More columns to set, and more facts for the audit. */
    set?: RowChange<'actions'>;
    data?: Record<string, unknown>;
  },
): Promise<Row<'actions'>> {
  const cancelled = await transitionAction(tx, {
    id: action.id,
    from: [action.status],
    to: 'cancelled',
    set: {
      ...input.set,
      cancelled_by: input.by,
      cancel_reason: input.reason ?? null,
      cancel_requested_at: action.cancel_requested_at ?? new Date(),
      failure_code: input.code ?? null,
    },
  });
  tx.audit({
    actor: input.by,
    via: input.via,
    event: 'action.cancelled',
    subject: { type: 'action', id: action.id },
    data: { ...input.data, reason: input.reason ?? null, code: input.code ?? null },
  });
  await tellEnd(tx, { action: cancelled ?? action });
  return cancelled ?? action;
}
