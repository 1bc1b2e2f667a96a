import { sql } from 'kysely';
import type { ActionWithNames } from './action.repository.ts';
import { withCourse } from './action-course.ts';
import { selectWithServer } from './action.repository.ts';
import { IS_BETWEEN_ATTEMPTS, IS_OUT, IS_WAITING } from './limit.repository.ts';
import type { ServerRow } from './server.repository.ts';
import type { Source } from './source.ts';

/** Servers on which something waits or that hold something, by name; `after` is the name to go on after. */
export function listBusyServers(
  source: Source,
  input: { limit: number; after?: string | undefined },
): Promise<ServerRow[]> {
  return source.kysely
    .selectFrom('servers')
    .selectAll()
    .where('name', '>', input.after ?? '')
    .where(
      sql<boolean>`(exists (select 1 from actions where actions.server_id = servers.id and ${IS_WAITING})
        or exists (select 1 from actions where actions.server_id = servers.id and ${IS_BETWEEN_ATTEMPTS})
        or exists (select 1 from commands where commands.server_id = servers.id and ${IS_OUT}))`,
    )
    .orderBy('name')
    .limit(input.limit)
    .execute();
}

/**
 * What waits on these servers: how many on each that a limit counts, and the first of all, whose turn is next at the
 * top. What is to be tried again has its turn by its approval once its time has come.
 */
export async function listWaitingOn(
  source: Source,
  input: { serverIds: readonly string[]; limit: number },
): Promise<{ counts: Map<string, number>; actions: ActionWithNames[] }> {
  const { rows } = await sql<{ id: string; server_id: string; place: number; waiting: number }>`
    select * from (
      select id, server_id, count(*) filter (where status <> 'executing') over (partition by server_id)::int as waiting,
        row_number() over (
          partition by server_id
          order by status = 'pending', coalesce(next_attempt_at > now(), false), approved_seq, requested_at, id
        )::int as place
      from actions where server_id = any(${[...input.serverIds]}::text[]) and (${IS_WAITING} or ${IS_BETWEEN_ATTEMPTS})
    ) ranked where place <= ${input.limit} order by server_id, place
  `.execute(source.kysely);
  const counts = new Map(rows.map(({ server_id: serverId, waiting }) => [serverId, waiting]));
  if (rows.length === 0) return { counts, actions: [] };
  const ids = rows.map(({ id }) => id);
  const found = await withCourse(source, await selectWithServer(source).where('actions.id', 'in', ids).execute());
  const byId = new Map(found.map((action) => [action.id, action]));
  return { counts, actions: ids.flatMap((id) => byId.get(id) ?? []) };
}

/** What the agent of each of these servers holds. */
export async function listHeld(
  source: Source,
  serverIds: readonly string[],
): Promise<Map<string, { id: string; playbook: string; since: Date }>> {
  if (serverIds.length === 0) return new Map();
  const rows = await source.kysely
    .selectFrom('commands')
    .innerJoin('actions', 'actions.id', 'commands.action_id')
    .select(['commands.server_id', 'actions.id', 'actions.playbook', 'commands.issued_at'])
    .where('commands.server_id', 'in', [...serverIds])
    .where(IS_OUT)
    .execute();
  return new Map(
    rows.map(({ server_id: serverId, id, playbook, issued_at: since }) => [serverId, { id, playbook, since }]),
  );
}

/** Tags of which a server holds something, the fullest first. */
export async function listTagsInUse(source: Source, limit: number): Promise<string[]> {
  const { rows } = await sql<{ tag: string }>`
    select tag from commands join servers on servers.id = commands.server_id and servers.revoked_at is null
    cross join unnest(servers.tags) as tag
    where ${IS_OUT} group by tag order by count(*) desc, tag limit ${limit}
  `.execute(source.kysely);
  return rows.map(({ tag }) => tag);
}
