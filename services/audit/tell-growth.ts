import { OUTBOX_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { claimReport, findUntoldGrowth } from '../../db/repositories/checkpoint.repository.ts';
import { enqueueOutbox } from '../../db/repositories/outbox.repository.ts';
import type { Context } from '../context.ts';

/**
 * Owes the channel one line, the first time that this is called on a day (UTC): how long the log had grown until then.
 * None where nothing happened since the last one. Once over all processes.
 */
export async function tellGrowth(ctx: Context): Promise<void> {
  const growth = await findUntoldGrowth(ctx.database);
  if (growth === null) return;
  await transact(ctx.database, 'audit.tell', async (tx) => {
    if (!(await claimReport(tx, growth.count))) return;
    await enqueueOutbox(tx, { kind: 'notice', actionId: null, payload: { audit: growth } });
    tx.notify(OUTBOX_CHANNEL, 'due');
  });
}
