import { tellSlack } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { enqueueBatch } from '../../db/repositories/outbox.repository.ts';
import * as halts from '../../db/repositories/halt.repository.ts';
import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import type { Context } from '../context.ts';

/**
 * Owes anew each card of what a halt covers: it says that it is halted, and offers Approve only where that can work.
 * Apart from the halt's own transaction, which must wait for nothing. One transaction a card, as two that owe several
 * could wait for each other.
 */
export async function showHalts(ctx: Context): Promise<void> {
  for (const row of await halts.listUnshownHalts(ctx.database)) await show(ctx, row);
}

/** The same for one, at once. Never throws: the pump shows it otherwise. */
export async function showHalt(ctx: Context, row: HaltRow): Promise<void> {
  try {
    await show(ctx, row);
  } catch (error) {
    ctx.log.warn({ err: error, halt_id: row.id }, 'the cards that a halt covers could not be owed; the pump will');
  }
}

async function show(ctx: Context, row: HaltRow): Promise<void> {
  for (const { id, batch_id: batchId } of await halts.listCoveredOpen(ctx.database, row)) {
    await transact(ctx.database, 'halt.show', (tx) =>
      batchId === null ? tellSlack(tx, { actionId: id, isProgress: true }) : enqueueBatch(tx, batchId),
    );
  }
  await transact(ctx.database, 'halt.show', (tx) => halts.markShown(tx, row));
}
