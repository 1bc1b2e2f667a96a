import { tellChannel, wakeCovered } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import { findHalt, lockHalts, updateHalt } from '../../db/repositories/halt.repository.ts';
import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import type { Via } from '../../domain/audit.ts';
import { NotFoundError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { readReason } from '../actions/reason.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { HaltView } from './halt-view.ts';
import { toHaltView } from './halt-view.ts';
import { showHalt } from './show-halts.ts';
import { voidQueued } from './void-queued.ts';
import type { Voided } from './void-queued.ts';
import { submitVoided } from './void-queued.ts';

/**
 * Ends a halt. What it covered and what waited there is not released: it ends as cancelled, recorded in the same
 * transaction. One that was lifted before stays as it is.
 *
 * Throws NotAllowedError `role_missing`; NotFoundError `halt_not_found`; InvalidInputError `reason_too_long`.
 */
export async function liftHalt(
  ctx: Context,
  asker: Asker,
  input: { id: string; reason?: string | undefined },
): Promise<HaltView> {
  authorise(asker, 'halts.declare');
  const reason = readReason(input.reason);
  const id = await readHaltId(ctx, input.id);
  const by = { actor: asker.principal.name, via: asker.via, reason };
  const { row, voided } = await transact(ctx.database, 'halt.lift', (tx) =>
    endHalt(ctx, tx, { id, by, isDue: always }),
  );
  settleLift(ctx, { row, voided });
  return toHaltView(row);
}

const always = (): boolean => true;

/** In the transaction that ends it. Nothing happens to one that was lifted before, or that `isDue` leaves. */
export async function endHalt(
  ctx: Context,
  tx: Tx,
  input: { id: number; by: { actor: string; via: Via; reason: string | null }; isDue(row: HaltRow): boolean },
): Promise<{ row: HaltRow; voided: Voided[] }> {
  const { id, by } = input;
  await lockHalts(tx);
  const row = await findHalt(tx, id);
  if (row === null) throw unknownHalt(String(id));
  if (row.lifted_at !== null || !input.isDue(row)) return { row, voided: [] };
  const voided = await voidQueued(ctx, tx, { halt: row, by });
  const lifted = await updateHalt(tx, id, {
    lifted_by: by.actor,
    lifted_via: by.via,
    lifted_at: new Date(),
    lift_reason: by.reason,
    voided: voided.length,
    cards_due: true,
  });
  tx.audit({
    actor: by.actor,
    via: by.via,
    event: 'halt.lifted',
    subject: { type: 'halt', id: String(id) },
    data: { scope: row.scope, value: row.value, reason: by.reason, voided: voided.length },
  });
  await tellChannel(tx, { topic: 'halt', halt_id: id, event: 'lifted' });
  wakeCovered(tx, row);
  return { row: lifted, voided };
}

/** After the commit; never throws, and the pump is behind all of it. */
export function settleLift(ctx: Context, { row, voided }: { row: HaltRow; voided: readonly Voided[] }): void {
  void submitVoided(ctx, voided);
  void showHalt(ctx, row);
}

async function readHaltId(ctx: Context, text: string): Promise<number> {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : null;
  if (id === null || (await findHalt(ctx.database, id)) === null) throw unknownHalt(text);
  return id;
}

function unknownHalt(text: string): NotFoundError {
  return new NotFoundError(`There is no halt ${JSON.stringify(text.slice(0, 40))}.`, { code: 'halt_not_found' });
}
