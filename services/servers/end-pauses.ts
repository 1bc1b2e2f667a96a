import { transact } from '../../db/orm.ts';
import { listEndedPauses, lockServer } from '../../db/repositories/server.repository.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { endPause } from './unpause-server.ts';

/** Ends the pauses whose `until` has come. May run twice and in several processes at once: each pause ends once. */
export async function endPauses(ctx: Context): Promise<void> {
  for (const { id } of await listEndedPauses(ctx.database, new Date())) {
    await transact(ctx.database, async (tx) => {
      const row = await lockServer(tx, id);
      const isDue = row?.paused === true && row.paused_until !== null && row.paused_until.getTime() <= Date.now();
      if (isDue) await endPause(tx, row, { actor: SYSTEM_ACTOR, via: 'workflow', isTimed: true });
    });
  }
}
