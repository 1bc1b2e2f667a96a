import { tellSlack } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { lockRoom, noteHold, readUse } from '../../db/repositories/limit.repository.ts';
import type { Row } from '../../db/tables.ts';
import { findHold } from '../../domain/limits.ts';
import type { Context } from '../context.ts';

/**
 * Whether one more may start on this server now. Where not, the action stays approved and says what holds it; whatever
 * ends wakes those in line. From here to the end of the transaction nobody else counts, so that the command which the
 * caller stores counts for the next: call it only where a new one is about to be stored. Lock server and action first.
 */
export async function hasRoom(
  ctx: Context,
  tx: Tx,
  { server, action }: { server: Row<'servers'>; action: Row<'actions'> },
): Promise<boolean> {
  await lockRoom(tx);
  const hold = findHold(ctx.config.current().limits, await readUse(tx, server.tags));
  const isNews = (hold !== null || action.held_by !== null) && (await noteHold(tx, action.id, hold));
  if (isNews) await tellSlack(tx, { actionId: action.id, isProgress: true });
  return hold === null;
}
