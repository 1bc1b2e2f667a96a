import { sql } from 'kysely';
import type { Source } from './source.ts';

/** Whose heartbeat it is. `kid`: of the key that it was signed with; undefined where somebody else vouches for it. */
export interface Caller {
  serverId: string;
  kid: string | undefined;
}

/** What a heartbeat is held for, in one row. */
export interface Glance {
  paused: boolean;
  tags: string[];
  heartbeat_interval_s: number;
  session_started_at: Date | null;
  session_beat: number | null;
  /** Enrolled, and its key may be called with. */
  is_let_in: boolean;
  /** Nothing may start on this server. */
  is_halted: boolean;
  /** Something is to be started there, or was and has not ended. */
  has_work: boolean;
  /** Of the newest set of command keys; 0: there is none. */
  keys_serial: number;
}

/** One for each, in their order, null where there is no such server. Locks nothing. */
export async function readGlances(source: Source, callers: readonly Caller[]): Promise<(Glance | null)[]> {
  const ids = callers.map(({ serverId }) => serverId);
  const kids = callers.map(({ kid }) => kid ?? null);
  const { rows } = await sql<Glance & { is_known: boolean }>`
    select servers.id is not null as is_known, paused, tags, heartbeat_interval_s, session_started_at, session_beat,
      servers.revoked_at is null and (caller.kid is null or exists (
        select 1 from agent_keys
        where agent_keys.server_id = servers.id and agent_keys.kid = caller.kid and agent_keys.revoked_at is null
      )) as is_let_in,
      exists (
        select 1 from halts
        where lifted_at is null and (scope = 'all' or (scope = 'tag' and value = any (servers.tags)))
      ) as is_halted,
      exists (
        select 1 from commands where server_id = servers.id and state = any (array['handed_out'::text, 'running'::text])
      ) or exists (
        select 1 from actions
        where server_id = servers.id and status = any (array['approved'::text, 'executing'::text])
      ) as has_work,
      coalesce((select max(serial) from command_key_sets), 0) as keys_serial
    from unnest(${ids}::text[], ${kids}::text[]) with ordinality as caller (id, kid, place)
    left join servers on servers.id = caller.id
    order by caller.place
  `.execute(source.kysely);
  return rows.map(({ is_known: isKnown, ...standing }) => (isKnown ? standing : null));
}
