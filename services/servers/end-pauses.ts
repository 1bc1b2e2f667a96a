import { tellPerson } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import { listEndedPauses, lockServer } from '../../db/repositories/server.repository.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { endPause } from './unpause-server.ts';

/**
 * Ends the pauses whose `until` has come, and tells whoever paused. May run twice and in several processes at once:
 * each pause ends once and is told once.
 */
export async function endPauses(ctx: Context): Promise<void> {
  for (const { id } of await listEndedPauses(ctx.database, new Date())) {
    await transact(ctx.database, 'pause.end', async (tx) => {
      const row = await lockServer(tx, id);
      const isDue = row?.paused === true && row.paused_until !== null && row.paused_until.getTime() <= Date.now();
      if (!isDue) return;
      await endPause(tx, row, { actor: SYSTEM_ACTOR, via: 'workflow', isTimed: true });
      await tellPauser(ctx, tx, row);
    });
  }
}

/** In Slack, where they have a user id there. `row` is the server as it was paused. */
async function tellPauser(ctx: Context, tx: Tx, row: ServerRow): Promise<void> {
  const slackUserId = ctx.config.current().principals.get(row.paused_by ?? '')?.slackUserId ?? null;
  if (slackUserId === null) return;
  const text =
    `Your pause of ${row.name} (${row.pause_reason ?? 'no reason was given'}) has ended by itself, as you asked. ` +
    'What waits there for approval still waits; what is asked for from now on goes by the rules.';
  await tellPerson(tx, { actionId: null, slackUserId, text });
}
