import { tellSlack } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { findOutstandingCommand, updateCommand } from '../../db/repositories/command.repository.ts';
import { listUnshown } from '../../db/repositories/queue.repository.ts';
import { lockServer } from '../../db/repositories/server.repository.ts';
import type { Context } from '../context.ts';

const BATCH = 50;

/**
 * Owes anew the card of what is handed out once its server is offline, and once that is heard of again: it says since
 * when nobody knows what becomes of it. One transaction a card, as two that owe several could wait for each other.
 */
export async function showUnknown(ctx: Context): Promise<void> {
  for (const command of await listUnshown(ctx.database, BATCH)) {
    await transact(ctx.database, 'card.owe', async (tx) => {
      await lockServer(tx, command.server_id);
      const held = await findOutstandingCommand(tx, command.server_id);
      if (held?.id !== command.id || held.unknown_shown === command.is_unknown) return; // another was faster
      await updateCommand(tx, command.id, { unknown_shown: command.is_unknown });
      await tellSlack(tx, { actionId: command.action_id, isProgress: true });
    });
  }
}
