import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { NewRow, Row, RowChange } from '../tables.ts';
import type { Source } from './source.ts';

export type ServerRow = Row<'servers'>;

export async function insertServer(tx: Tx, server: NewRow<'servers'>): Promise<ServerRow> {
  return tx.kysely.insertInto('servers').values(server).returningAll().executeTakeFirstOrThrow();
}

/** By id, else by name. */
export async function findServer(source: Source, idOrName: string): Promise<ServerRow | null> {
  const rows = await source.kysely
    .selectFrom('servers')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
    .execute();
  return rows.find(({ id }) => id === idOrName) ?? rows[0] ?? null;
}

/** By name, one page; `next` is the name to go on after. */
export async function listServers(
  source: Source,
  input: { limit: number; after?: string | undefined },
): Promise<{ items: ServerRow[]; next: string | null }> {
  const { limit, after } = input;
  let query = source.kysely.selectFrom('servers').selectAll();
  if (after !== undefined) query = query.where('name', '>', after);
  const rows = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null };
}

/** Enrolled servers with this text in the name or in a tag, whatever its case; names that begin with it first. */
export function searchServers(source: Source, query: { text: string; limit: number }): Promise<ServerRow[]> {
  const escaped = query.text.replace(/[\\%_]/g, '\\$&');
  return source.kysely
    .selectFrom('servers')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where((eb) =>
      eb.or([
        eb('name', 'ilike', `%${escaped}%`),
        sql<boolean>`exists (select 1 from unnest(tags) as tag where tag ilike ${`%${escaped}%`})`,
      ]),
    )
    .orderBy(sql`name ilike ${`${escaped}%`}`, 'desc')
    .orderBy('name')
    .limit(query.limit)
    .execute();
}

/** Enrolled servers that bear one of these names. */
export async function findServersByNames(source: Source, names: readonly string[]): Promise<ServerRow[]> {
  if (names.length === 0) return [];
  return source.kysely
    .selectFrom('servers')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where('name', 'in', [...names])
    .execute();
}

export async function listServerNames(source: Source): Promise<string[]> {
  const rows = await source.kysely.selectFrom('servers').select('name').orderBy('name').execute();
  return rows.map(({ name }) => name);
}

/** Locks the row until the transaction ends: hand-outs, heartbeats and pauses of one server happen one after another. */
export async function lockServer(tx: Tx, id: string): Promise<ServerRow | null> {
  const row = await tx.kysely.selectFrom('servers').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row ?? null;
}

export async function updateServer(tx: Tx, id: string, set: RowChange<'servers'>): Promise<ServerRow | null> {
  const row = await tx.kysely.updateTable('servers').set(set).where('id', '=', id).returningAll().executeTakeFirst();
  return row ?? null;
}

/** Those paused last come first. */
export function listPausedServers(source: Source, limit: number): Promise<ServerRow[]> {
  return source.kysely
    .selectFrom('servers')
    .selectAll()
    .where('paused', '=', true)
    .orderBy('paused_at', 'desc')
    .limit(limit)
    .execute();
}

/** Paused servers whose pause ends by itself, and has. */
export function listEndedPauses(source: Source, now: Date): Promise<ServerRow[]> {
  return source.kysely
    .selectFrom('servers')
    .selectAll()
    .where('paused', '=', true)
    .where('paused_until', '<=', now)
    .execute();
}

/** The key in use with this thumbprint, with its server; null where it is unknown or revoked. */
export async function findAgentKey(source: Source, kid: string): Promise<Row<'agent_keys'> | null> {
  const row = await source.kysely
    .selectFrom('agent_keys')
    .selectAll()
    .where('kid', '=', kid)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** The key in use of one server. */
export async function findKeyOfServer(source: Source, serverId: string): Promise<Row<'agent_keys'> | null> {
  const row = await source.kysely
    .selectFrom('agent_keys')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Puts `key` in the place of the server's old one, which is revoked in the same transaction. Lock the server first. */
export async function replaceAgentKey(tx: Tx, key: NewRow<'agent_keys'>, now: Date): Promise<void> {
  await tx.kysely
    .updateTable('agent_keys')
    .set({ revoked_at: now })
    .where('server_id', '=', key.server_id)
    .where('revoked_at', 'is', null)
    .execute();
  await tx.kysely.insertInto('agent_keys').values(key).execute();
}
