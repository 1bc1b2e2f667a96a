import { tellSlack } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { closeDeadLetter } from '../../db/repositories/dead-letter.repository.ts';
import { lockServerOf } from '../../db/repositories/server.repository.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import type { ActionView } from '../actions/action-view.ts';
import { findActionView, getAction } from '../actions/read-actions.ts';
import { readReason } from '../actions/reason.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { releaseHoldBack } from '../hold-backs/release-hold-back.ts';
import { notADeadLetter } from './not-a-dead-letter.ts';

/**
 * Says that nothing more is to be done about it, and why. It keeps its place in the history. Said again by the same
 * person for the same reason, it stays as it is.
 *
 * Throws NotAllowedError `role_missing`; `action_not_found`; ConflictError `not_a_dead_letter`; InvalidInputError
 * `reason_missing`, `reason_too_long`.
 */
export async function dismissDeadLetter(
  ctx: Context,
  asker: Asker,
  input: { actionId: string; reason: string | undefined },
): Promise<ActionView> {
  authorise(asker, 'dead_letters.settle');
  const reason = readReason(input.reason);
  if (reason === null) {
    const message = 'Say why it is dismissed.';
    const code = 'reason_missing';
    throw new InvalidInputError(message, { code, fields: [{ path: 'reason', message, code }] });
  }
  const { id } = await getAction(ctx, asker, input.actionId);
  const by = asker.principal.name;
  const isDone = await transact(ctx.database, 'dead_letter.dismiss', async (tx) => {
    await lockServerOf(tx, id);
    const closed = await closeDeadLetter(tx, { id, as: 'dismissed', by, reason });
    if (closed === null) return false;
    const subject = { type: 'action', id };
    tx.audit({ actor: by, via: asker.via, event: 'action.dismissed', subject, data: { reason } });
    await releaseHoldBack(tx, { actionId: id, asker, how: 'dismissed' });
    await tellSlack(tx, { actionId: id });
    return true;
  });
  const now = await findActionView(ctx, id);
  if (now === null) throw new Error(`Action ${id} lost its row.`);
  const isRepeat = now.dismissedBy === by && now.dismissReason === reason; // whoever lost the answer asks again
  if (!isDone && !isRepeat) throw notADeadLetter(now);
  return now;
}
