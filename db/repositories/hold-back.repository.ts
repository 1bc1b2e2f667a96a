import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { Row } from '../tables.ts';
import type { Source } from './source.ts';

export type HoldBackRow = Row<'hold_backs'>;
export type HoldBackWithNames = HoldBackRow & { server_name: string };

/** What one action would run, and where. */
interface Work {
  serverId: string;
  playbook: string;
}

/** A condition on `actions`. */
export const IS_NOT_HELD_BACK = sql<boolean>`(actions.dry_run or not exists (
  select 1 from hold_backs where hold_backs.server_id = actions.server_id and hold_backs.playbook = actions.playbook
))`;

/** How often in a row this playbook has failed on this server, since it last completed there; dry runs aside. */
export async function countFailuresInRow(tx: Tx, { serverId, playbook }: Work): Promise<number> {
  const { rows } = await sql<{ failures: number }>`
    select count(*)::int as failures from actions
    where server_id = ${serverId} and playbook = ${playbook} and status = 'failed' and not dry_run
      and completed_at > coalesce((
        select max(completed_at) from actions
        where server_id = ${serverId} and playbook = ${playbook} and status = 'completed' and not dry_run
      ), '-infinity')
  `.execute(tx.kysely);
  return rows[0]?.failures ?? 0;
}

/** False where the playbook is held back there already, by an earlier failure, which stays the one to deal with. Lock the server first. */
export async function putHoldBack(tx: Tx, hold: Work & { actionId: string; failures: number }): Promise<boolean> {
  const { serverId, playbook, actionId, failures } = hold;
  const row = await tx.kysely
    .insertInto('hold_backs')
    .values({ server_id: serverId, playbook, action_id: actionId, failures, since: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) => conflict.doNothing())
    .returning('playbook')
    .executeTakeFirst();
  return row !== undefined;
}

export async function findHoldBack(source: Source, { serverId, playbook }: Work): Promise<HoldBackRow | null> {
  const row = await source.kysely
    .selectFrom('hold_backs')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('playbook', '=', playbook)
    .executeTakeFirst();
  return row ?? null;
}

/** Ends the one that names this dead letter; null where none does. Lock the server first. */
export async function deleteHoldBack(tx: Tx, actionId: string): Promise<HoldBackRow | null> {
  const row = await tx.kysely
    .deleteFrom('hold_backs')
    .where('action_id', '=', actionId)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Of these servers. */
export async function listHoldBacksOn(source: Source, serverIds: readonly string[]): Promise<HoldBackRow[]> {
  if (serverIds.length === 0) return [];
  return source.kysely
    .selectFrom('hold_backs')
    .selectAll()
    .where('server_id', 'in', [...serverIds])
    .execute();
}

/** The oldest first; those of servers that are gone are left out. */
export function listHoldBacks(source: Source, limit: number): Promise<HoldBackWithNames[]> {
  return source.kysely
    .selectFrom('hold_backs')
    .innerJoin('servers', 'servers.id', 'hold_backs.server_id')
    .selectAll('hold_backs')
    .select('servers.name as server_name')
    .where('servers.revoked_at', 'is', null)
    .orderBy('hold_backs.since')
    .orderBy('hold_backs.server_id')
    .limit(limit)
    .execute();
}
