import { tellServerCards } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import { lockServer, updateServer } from '../../db/repositories/server.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import type { Via } from '../../domain/audit.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { findServerOrThrow, viewServer } from './read-servers.ts';
import type { ServerView } from './server-view.ts';

/** Ends the pause; approves nothing that waits. A server that is not paused stays as it is. */
export async function unpauseServer(ctx: Context, asker: Asker, input: { server: string }): Promise<ServerView> {
  authorise(asker, 'servers.pause');
  const found = await findServerOrThrow(ctx.database, input.server);
  const row = await transact(ctx.database, 'pause.end', async (tx) => {
    const locked = (await lockServer(tx, found.id)) ?? found;
    if (!locked.paused) return locked;
    return endPause(tx, locked, { actor: asker.principal.name, via: asker.via, isTimed: false });
  });
  return viewServer(ctx, row);
}

/** The row must be locked. `isTimed`: its own `until` has come. */
export async function endPause(
  tx: Tx,
  row: ServerRow,
  by: { actor: string; via: Via; isTimed: boolean },
): Promise<ServerRow> {
  tx.audit({
    actor: by.actor,
    via: by.via,
    event: 'server.unpaused',
    subject: { type: 'server', id: row.id },
    data: { name: row.name, timed: by.isTimed },
  });
  const set = { paused: false, paused_by: null, paused_at: null, pause_reason: null, paused_until: null };
  await tellServerCards(tx, row.id);
  return (await updateServer(tx, row.id, set)) ?? row;
}
