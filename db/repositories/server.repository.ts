import { sql } from 'kysely';
import { MISSED_INTERVALS } from '../../domain/liveness.ts';
import type { Tx } from '../orm.ts';
import type { NewRow, Row, RowChange } from '../tables.ts';
import type { Source } from './source.ts';

export type ServerRow = Row<'servers'>;

/** After so long without a heartbeat a row of `servers` is offline, as domain/liveness.ts has it. */
export const SILENCE = sql`${sql.lit(MISSED_INTERVALS)} * servers.heartbeat_interval_s * interval '1 second'`;

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

export async function hasTag(source: Source, tag: string): Promise<boolean> {
  const { rows } = await sql<object>`
    select 1 from servers where revoked_at is null and ${tag} = any(tags) limit 1
  `.execute(source.kysely);
  return rows.length > 0;
}

export async function listTags(source: Source): Promise<string[]> {
  const { rows } = await sql<{ tag: string }>`
    select distinct unnest(tags) as tag from servers where revoked_at is null order by 1
  `.execute(source.kysely);
  return rows.map(({ tag }) => tag);
}

/** Locks the row until the transaction ends: hand-outs, heartbeats and pauses of one server happen one after another. */
export async function lockServer(tx: Tx, id: string): Promise<ServerRow | null> {
  const row = await tx.kysely.selectFrom('servers').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row ?? null;
}

/** The same for the server that this action is for. */
export async function lockServerOf(tx: Tx, actionId: string): Promise<void> {
  await sql`select 1 from servers where id = (select server_id from actions where id = ${actionId}) for update`.execute(
    tx.kysely,
  );
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

/** The keys that its agent may call with: the one in use, and the next one where it announced one. */
export function listKeysOfServer(source: Source, serverId: string): Promise<Row<'agent_keys'>[]> {
  return source.kysely
    .selectFrom('agent_keys')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('revoked_at', 'is', null)
    .orderBy('is_next')
    .execute();
}

/** The keys that its agent could call with until the server was revoked. */
export function listKeysAtRevocation(source: Source, serverId: string): Promise<Row<'agent_keys'>[]> {
  return source.kysely
    .selectFrom('agent_keys')
    .innerJoin('servers', 'servers.id', 'agent_keys.server_id')
    .selectAll('agent_keys')
    .where('server_id', '=', serverId)
    .whereRef('agent_keys.revoked_at', '=', 'servers.revoked_at')
    .execute();
}

export async function isKeyOfServer(source: Source, input: { serverId: string; kid: string }): Promise<boolean> {
  return (await listKeysOfServer(source, input.serverId)).some(({ kid }) => kid === input.kid);
}

/** Whoever's, and in whatever state. */
export async function findAnyKey(source: Source, kid: string): Promise<Row<'agent_keys'> | null> {
  const row = await source.kysely.selectFrom('agent_keys').selectAll().where('kid', '=', kid).executeTakeFirst();
  return row ?? null;
}

/** Puts `key` in the place of all that the server has, which are revoked in the same transaction. Lock it first. */
export async function replaceAgentKey(tx: Tx, key: NewRow<'agent_keys'>, now: Date): Promise<void> {
  await revokeAgentKeys(tx, key.server_id, now);
  await tx.kysely.insertInto('agent_keys').values(key).execute();
}

export async function revokeAgentKeys(tx: Tx, serverId: string, now: Date): Promise<void> {
  const ended = tx.kysely.updateTable('agent_keys').set({ revoked_at: now, is_next: false });
  await ended.where('server_id', '=', serverId).where('revoked_at', 'is', null).execute();
}

/** In the place of the one that was to be next until now, beside the one in use. Lock the server first. */
export async function insertNextKey(tx: Tx, key: NewRow<'agent_keys'>, now: Date): Promise<void> {
  const dropped = tx.kysely.updateTable('agent_keys').set({ revoked_at: now, is_next: false });
  await dropped
    .where('server_id', '=', key.server_id)
    .where('revoked_at', 'is', null)
    .where('is_next', '=', true)
    .execute();
  await tx.kysely
    .insertInto('agent_keys')
    .values({ ...key, is_next: true })
    .execute();
}

/** Revokes the one in use and puts the next one in its place. Lock the server first. */
export async function promoteNextKey(tx: Tx, input: { serverId: string; kid: string; now: Date }): Promise<void> {
  const former = tx.kysely.updateTable('agent_keys').set({ revoked_at: input.now });
  await former
    .where('server_id', '=', input.serverId)
    .where('revoked_at', 'is', null)
    .where('is_next', '=', false)
    .execute();
  await tx.kysely.updateTable('agent_keys').set({ is_next: false }).where('kid', '=', input.kid).execute();
}
