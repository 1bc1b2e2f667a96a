import { randomUUID } from 'node:crypto';
import { arrange } from './arrange.ts';
import { insertServer } from '../../db/repositories/server.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import type { Context } from '../../services/context.ts';

/** A server that nobody has heard of yet. */
export function insertTestServer(
  ctx: Pick<Context, 'database'>,
  input: { isPaused?: boolean; tags?: string[] } = {},
): Promise<ServerRow> {
  const id = randomUUID();
  return arrange(ctx.database, (tx) =>
    insertServer(tx, { id, name: `web-${id.slice(0, 8)}`, tags: input.tags ?? [], paused: input.isPaused ?? false }),
  );
}
