import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import { SILENCE } from './server.repository.ts';
import type { Source } from './source.ts';

/** What an approved action waits for: the action whose turn is first on its server, and how many go before in all. */
export interface QueuedBehind {
  id: string;
  playbook: string;
  ahead: number;
}

/** How far the agent says it has come; verification counts as steps. */
export interface StepProgress {
  step: number;
  steps: number;
}

/** By action, for those of these that are approved, not handed out, and not the next. */
export async function readQueue(source: Source, actionIds: readonly string[]): Promise<Map<string, QueuedBehind>> {
  if (actionIds.length === 0) return new Map();
  const { rows } = await sql<QueuedBehind & { action_id: string }>`
    select waiting.id as action_id, first.id, first.playbook, first.ahead
    from actions waiting cross join lateral (
      select other.id, other.playbook, count(*) over () as ahead
      from actions other
      where other.server_id = waiting.server_id and other.id <> waiting.id
        and (other.status = 'executing' and coalesce(other.next_attempt_at, now()) <= now()
          or other.status = 'approved' and other.approved_seq < waiting.approved_seq)
      order by other.status = 'executing' desc, other.approved_seq
      limit 1
    ) first
    where waiting.id = any(${[...actionIds]}::text[]) and waiting.status = 'approved' and not exists (
      select 1 from commands where commands.action_id = waiting.id and commands.attempt = waiting.attempt
    )
  `.execute(source.kysely);
  return new Map(rows.map(({ action_id: id, ...behind }) => [id, { ...behind, ahead: Number(behind.ahead) }]));
}

/** What was given to an agent and has not ended. */
export interface HandedOut {
  at: Date;
  /** Null until a step has begun. */
  progress: StepProgress | null;
  /** Nothing is heard of its server, and its card says so. */
  isUnknown: boolean;
}

/** By action, for those of these of which a command is out. */
export async function readHandedOut(source: Source, actionIds: readonly string[]): Promise<Map<string, HandedOut>> {
  if (actionIds.length === 0) return new Map();
  const rows = await source.kysely
    .selectFrom('commands')
    .select(['action_id', 'issued_at', 'step', 'steps', 'unknown_shown'])
    .where('action_id', 'in', [...actionIds])
    .where('state', 'in', ['handed_out', 'running'])
    .execute();
  return new Map(
    rows.map(({ action_id: id, issued_at: at, step, steps, unknown_shown: isUnknown }) => [
      id,
      { at, progress: step === 0 ? null : { step, steps }, isUnknown },
    ]),
  );
}

/** Those of these whose last command ended without a result that counts: its agent may have run it. */
export async function listUnheardOf(source: Source, actionIds: readonly string[]): Promise<Set<string>> {
  if (actionIds.length === 0) return new Set();
  const rows = await source.kysely
    .selectFrom('commands')
    .leftJoin('results', (join) =>
      join.onRef('results.command_id', '=', 'commands.id').on('results.is_late', '=', sql.lit(false)),
    )
    .distinctOn('commands.action_id')
    .select(['commands.action_id', 'results.id as result_id'])
    .where('commands.action_id', 'in', [...actionIds])
    .orderBy('commands.action_id')
    .orderBy('commands.attempt', 'desc')
    .execute();
  return new Set(rows.filter(({ result_id: id }) => id === null).map(({ action_id: id }) => id));
}

/** A command that is out, and whether nothing is heard of its server. */
export interface Unshown {
  id: string;
  server_id: string;
  action_id: string;
  is_unknown: boolean;
}

/** Those of which the card says otherwise; the oldest first. */
export async function listUnshown(source: Source, limit: number): Promise<Unshown[]> {
  const { rows } = await sql<Unshown>`
    select commands.id, commands.server_id, commands.action_id, not commands.unknown_shown as is_unknown
    from commands join servers on servers.id = commands.server_id
    where commands.state = any (array['handed_out'::text, 'running'::text])
      and commands.unknown_shown <> (
        servers.last_seen_at < clock_timestamp() - ${SILENCE}
      )
    order by commands.issued_at
    limit ${limit}
  `.execute(source.kysely);
  return rows;
}

/**
 * What has not ended on this server and has a card of its own, newest first; the oldest are left out. A batch's card is
 * shared between servers: two transactions that owe several of them could wait for each other.
 */
export async function listOpen(tx: Tx, input: { serverId: string; limit: number }): Promise<string[]> {
  const rows = await tx.kysely
    .selectFrom('actions')
    .select('id')
    .where('server_id', '=', input.serverId)
    .where('status', 'in', ['pending', 'approved', 'executing'])
    .where('batch_id', 'is', null)
    .orderBy('requested_at', 'desc')
    .limit(input.limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** The actions with a card of their own that wait for this server, the next first; those far behind are left out. */
export async function listQueued(tx: Tx, input: { serverId: string; limit: number }): Promise<string[]> {
  const rows = await tx.kysely
    .selectFrom('actions')
    .select('id')
    .where('server_id', '=', input.serverId)
    .where('status', '=', 'approved')
    .where('batch_id', 'is', null)
    .orderBy('approved_seq')
    .limit(input.limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** What has not ended on this server and nobody is cancelling yet, oldest first. */
export async function listUncancelled(tx: Tx, serverId: string): Promise<string[]> {
  const rows = await tx.kysely
    .selectFrom('actions')
    .select('id')
    .where('server_id', '=', serverId)
    .where('status', 'in', ['pending', 'approved', 'executing'])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('decisions')
            .select('decisions.id')
            .whereRef('decisions.action_id', '=', 'actions.id')
            .where('decisions.kind', '=', 'cancel')
            .where('decisions.status', '=', 'recorded'),
        ),
      ),
    )
    .orderBy('requested_at')
    .execute();
  return rows.map(({ id }) => id);
}
