import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
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

/** By action, for those of these of which an agent has begun a step. */
export async function readProgress(source: Source, actionIds: readonly string[]): Promise<Map<string, StepProgress>> {
  if (actionIds.length === 0) return new Map();
  const rows = await source.kysely
    .selectFrom('commands')
    .select(['action_id', 'step', 'steps'])
    .where('action_id', 'in', [...actionIds])
    .where('state', '=', 'running')
    .where('step', '>', 0)
    .execute();
  return new Map(rows.map(({ action_id: id, step, steps }) => [id, { step, steps }]));
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
