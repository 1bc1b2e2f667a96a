import { sql } from 'kysely';
import type { Hold, Use } from '../../domain/limits.ts';
import type { Tx } from '../orm.ts';
import { toJson } from '../tables.ts';
import { SILENCE } from './server.repository.ts';
import type { Source } from './source.ts';

/*
 * What is counted against a limit. A command that is handed out counts as running: its agent may have started it.
 */
export const IS_OUT = sql<boolean>`commands.state = any (array['handed_out'::text, 'running'::text])`;
export const IS_WAITING = sql<boolean>`actions.status = any (array['pending'::text, 'approved'::text])
  and not exists (select 1 from commands where commands.action_id = actions.id and commands.attempt = actions.attempt)`;

/** Failed, to be tried again, and the next attempt is not handed out. No limit of what waits counts it. */
export const IS_BETWEEN_ATTEMPTS = sql<boolean>`actions.status = 'executing' and actions.next_attempt_at is not null
  and not exists (select 1 from commands where commands.action_id = actions.id and commands.attempt = actions.attempt)`;

/** Until the transaction ends, nobody else counts what runs in order to start more. Lock server and action first. */
export async function lockRoom(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('limits:room', 0))`.execute(tx.kysely);
}

/** Until the transaction ends, nobody else counts this principal's requests, or all that wait. Lock the server first. */
export async function lockRequests(tx: Tx, of: { principal: string } | 'all'): Promise<void> {
  const name = of === 'all' ? 'limits:waiting' : `limits:requests:${of.principal}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.kysely);
}

/** What runs over the fleet, and on the enrolled servers of each of these tags. */
export async function readUse(source: Source, tags: readonly string[]): Promise<Use> {
  const { rows } = await sql<Use['tags'][number]>`
    select wanted.tag, count(servers.id)::int as servers, count(commands.id)::int as executing
    from unnest(${[...tags]}::text[]) as wanted (tag)
    join servers on wanted.tag = any (servers.tags) and servers.revoked_at is null
    left join commands on commands.server_id = servers.id and ${IS_OUT}
    group by wanted.tag order by wanted.tag
  `.execute(source.kysely);
  return { executing: await countExecuting(source), tags: rows };
}

export async function countExecuting(source: Source): Promise<number> {
  const row = await source.kysely
    .selectFrom('commands')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(IS_OUT)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Open actions that were not handed out because of a limit, by its code. */
export async function countHeld(source: Source): Promise<{ name: string; count: number }[]> {
  const { rows } = await sql<{ name: string; count: number }>`
    select held_by ->> 'code' as name, count(*)::int as count from actions
    where held_by is not null and status = any (array['pending'::text, 'approved'::text, 'executing'::text]) group by 1
  `.execute(source.kysely);
  return rows;
}

/** Notes what keeps the turn of an action from coming; null: nothing does. True where that is news. */
export async function noteHold(tx: Tx, actionId: string, hold: Hold | null): Promise<boolean> {
  const row = await tx.kysely
    .updateTable('actions')
    .set({ held_by: hold === null ? null : toJson(hold) })
    .where('id', '=', actionId)
    .where(sql<boolean>`held_by is distinct from ${hold === null ? null : toJson(hold)}::jsonb`)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Requested and not handed out: for a person, or for their start; in all, or on one server. */
export async function countWaiting(source: Source, on: { serverId?: string } = {}): Promise<number> {
  let query = source.kysely
    .selectFrom('actions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(IS_WAITING);
  if (on.serverId !== undefined) query = query.where('server_id', '=', on.serverId);
  return Number((await query.executeTakeFirstOrThrow()).count);
}

/** When the `nth` latest request of this principal came; null where there were fewer since then. */
export async function findRequestTime(
  source: Source,
  input: { principal: string; since: Date; nth: number },
): Promise<Date | null> {
  const row = await source.kysely
    .selectFrom('actions')
    .select('requested_at')
    .where('requested_by', '=', input.principal)
    .where('requested_at', '>', input.since)
    .orderBy('requested_at', 'desc')
    .offset(input.nth - 1)
    .limit(1)
    .executeTakeFirst();
  return row?.requested_at ?? null;
}

/**
 * What a cooldown counts from: an open action of this playbook on this server, else the end of the latest that ran
 * there since then. Dry runs are left out, as nothing ran.
 */
export async function findLatestRun(
  source: Source,
  input: { serverId: string; playbook: string; since: Date },
): Promise<{ id: string; completed_at: Date | null } | null> {
  const row = await source.kysely
    .selectFrom('actions')
    .select(['id', 'completed_at'])
    .where('server_id', '=', input.serverId)
    .where('playbook', '=', input.playbook)
    .where('dry_run', '=', false)
    .where((eb) =>
      eb.or([
        eb('status', 'in', ['pending', 'approved', 'executing']),
        eb.and([eb('executed_at', 'is not', null), eb('completed_at', '>', input.since)]),
      ]),
    )
    .orderBy(sql`completed_at is null`, 'desc')
    .orderBy('completed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/**
 * Servers that have been heard of lately and have something approved to fetch, whose turn came first at the top; those
 * that wait for a tag which the server in whose place they could start does not have are left out.
 */
export async function listServersInLine(tx: Tx, input: { inPlaceOf: string; limit: number }): Promise<string[]> {
  const { rows } = await sql<{ server_id: string }>`
    select actions.server_id from actions
    join servers on servers.id = actions.server_id and servers.revoked_at is null
      and servers.last_seen_at > clock_timestamp() - ${SILENCE}
    where actions.status = any (array['approved'::text, 'executing'::text])
      and (actions.held_by ->> 'tag' is null or exists (
        select 1 from servers freed where freed.id = ${input.inPlaceOf} and actions.held_by ->> 'tag' = any (freed.tags)
      ))
      and not exists (
        select 1 from commands where commands.action_id = actions.id and commands.attempt = actions.attempt
          or commands.server_id = actions.server_id and ${IS_OUT}
      )
    group by actions.server_id order by min(actions.approved_seq) limit ${input.limit}
  `.execute(tx.kysely);
  return rows.map(({ server_id: id }) => id);
}
