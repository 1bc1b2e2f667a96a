import { countQueued } from '../../db/repositories/action.repository.ts';
import { listStandingHalts } from '../../db/repositories/halt.repository.ts';
import type { Source } from '../../db/repositories/source.ts';
import * as servers from '../../db/repositories/server.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import { InvalidInputError, NotFoundError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { readPageSize } from '../page-size.ts';
import type { ServerView } from './server-view.ts';
import { toServerView } from './server-view.ts';

/** What a page gives as `next` is the last name on it; see create-enrollment-token.ts for what a name is. */
const CURSOR = /^[a-z0-9._-]{1,63}$/i;

/** By name. Throws InvalidInputError `invalid_cursor`, `invalid_limit`. */
export async function listServers(
  ctx: Context,
  asker: Asker,
  query: { limit?: number | undefined; after?: string | undefined } = {},
): Promise<{ items: ServerView[]; next: string | null }> {
  authorise(asker, 'servers.read');
  const place = { limit: readPageSize(query.limit), after: readServerCursor(query.after) };
  const page = await servers.listServers(ctx.database, place);
  return { items: await viewServers(ctx, page.items), next: page.next };
}

/** The name to go on after. Throws InvalidInputError `invalid_cursor`. */
export function readServerCursor(after: string | undefined): string | undefined {
  if (after === undefined || CURSOR.test(after)) return after;
  const message = 'The cursor `after` is none that a list has given as `next`.';
  throw new InvalidInputError(message, { code: 'invalid_cursor' });
}

/** Those paused last come first. */
export async function listPausedServers(ctx: Context, asker: Asker, limit: number): Promise<ServerView[]> {
  authorise(asker, 'servers.read');
  return viewServers(ctx, await servers.listPausedServers(ctx.database, limit));
}

/** By id or name. Throws NotFoundError `server_not_found` with the nearest known name. */
export async function getServer(ctx: Context, asker: Asker, idOrName: string): Promise<ServerView> {
  authorise(asker, 'servers.read');
  return viewServer(ctx, await findServerOrThrow(ctx.database, idOrName));
}

/** For use cases that have authorised already. */
export async function viewServer(ctx: Context, row: ServerRow): Promise<ServerView> {
  const [view] = await viewServers(ctx, [row]);
  return view as ServerView; // one row in, one view out
}

export async function findServerOrThrow(source: Source, idOrName: string): Promise<ServerRow> {
  const row = await servers.findServer(source, idOrName);
  if (row !== null) return row;
  const hint = suggestNearest(idOrName, await servers.listServerNames(source));
  const message = `There is no server ${JSON.stringify(idOrName.slice(0, 80))}.${hint}`;
  throw new NotFoundError(message, { code: 'server_not_found' });
}

async function viewServers(ctx: Context, rows: readonly ServerRow[]): Promise<ServerView[]> {
  const queued = await countQueued(
    ctx.database,
    rows.map(({ id }) => id),
  );
  const halts = await listStandingHalts(ctx.database);
  const context = { config: ctx.config.current(), halts, now: new Date() };
  return rows.map((row) => toServerView(row, { ...context, queued: queued.get(row.id) ?? 0 }));
}
