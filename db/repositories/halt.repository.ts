import { sql } from 'kysely';
import type { HaltReach } from '../../domain/halt.ts';
import type { Tx } from '../orm.ts';
import type { NewRow, Row, RowChange } from '../tables.ts';
import type { Source } from './source.ts';

export type HaltRow = Row<'halts'>;

/** An action that was asked for or approved, and has not been started: what the lift of a halt makes void. */
export interface VoidedAction {
  id: string;
  playbook: string;
  requested_by: string;
  server_name: string;
  /** An agent may have received it; its requester is told when it has ended. */
  is_handed_out: boolean;
}

/**
 * The halts that stand, oldest first, and none begins or ends before this transaction does. It may take no longer than
 * five seconds between two statements. The gate comes after the server and before the action (db/orm.ts, INVARIANTS).
 */
export async function holdHalts(tx: Tx): Promise<HaltRow[]> {
  return (await sql<HaltRow>`select * from medic_standing_halts()`.execute(tx.kysely)).rows;
}

/** Until the transaction ends nothing is signed, no request and no click to approve is recorded, and no other halt begins or ends. */
export async function lockHalts(tx: Tx): Promise<void> {
  await sql`select set_config('idle_in_transaction_session_timeout', '5000', true)`.execute(tx.kysely);
  await sql`select pg_advisory_xact_lock(hashtextextended('medic:halt', 0))`.execute(tx.kysely);
}

/** The halts that stand, oldest first, as of now. */
export function listStandingHalts(source: Source): Promise<HaltRow[]> {
  return source.kysely.selectFrom('halts').selectAll().where('lifted_at', 'is', null).orderBy('id').execute();
}

/** One page, the latest first; `next` is the id to go on after. */
export async function listHalts(
  source: Source,
  input: { limit: number; after?: number | undefined; isStandingOnly: boolean },
): Promise<{ items: HaltRow[]; next: number | null }> {
  const { limit, after, isStandingOnly } = input;
  let query = source.kysely.selectFrom('halts').selectAll();
  if (after !== undefined) query = query.where('id', '<', after);
  if (isStandingOnly) query = query.where('lifted_at', 'is', null);
  const rows = await query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export async function findHalt(source: Source, id: number): Promise<HaltRow | null> {
  return (await source.kysely.selectFrom('halts').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

export async function findHaltByRequestKey(source: Source, requestKey: string): Promise<HaltRow | null> {
  const query = source.kysely.selectFrom('halts').selectAll().where('request_key', '=', requestKey);
  return (await query.executeTakeFirst()) ?? null;
}

export function insertHalt(tx: Tx, halt: NewRow<'halts'>): Promise<HaltRow> {
  return tx.kysely.insertInto('halts').values(halt).returningAll().executeTakeFirstOrThrow();
}

export function updateHalt(tx: Tx, id: number, set: RowChange<'halts'>): Promise<HaltRow> {
  return tx.kysely.updateTable('halts').set(set).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** Standing halts that were to end by now. */
export function listEndedHalts(source: Source, now: Date): Promise<HaltRow[]> {
  return source.kysely
    .selectFrom('halts')
    .selectAll()
    .where('lifted_at', 'is', null)
    .where('until', '<=', now)
    .orderBy('id')
    .execute();
}

/**
 * What this halt covers and was approved, or will be without another click (nobody has to, or an approval waits for its
 * workflow) and of which no agent has said that it runs, also between two attempts. In the order of their ids.
 */
export async function listVoid(tx: Tx, halt: HaltReach): Promise<VoidedAction[]> {
  const { rows } = await sql<VoidedAction>`
    select actions.id, actions.playbook, actions.requested_by, servers.name as server_name,
      exists (select 1 from commands where commands.action_id = actions.id) as is_handed_out
    from actions join servers on servers.id = actions.server_id
    where ${covered(halt)} and actions.cancel_requested_at is null and not exists (
      select 1 from commands where commands.action_id = actions.id and commands.state = 'running'
    ) and not exists (
      select 1 from decisions where decisions.action_id = actions.id and kind = 'cancel' and decisions.status = 'recorded'
    ) and (
      actions.status in ('approved', 'executing')
      or actions.status = 'pending' and (actions.approvals_required = 0 or exists (
        select 1 from decisions
        where decisions.action_id = actions.id and kind = 'approve' and decisions.status = 'recorded'
      ))
    )
    order by actions.id
  `.execute(tx.kysely);
  return rows;
}

/** How much of what this halt covers runs now, and how much waits for its start: approved, or between two attempts. */
export async function countCovered(source: Source, halt: HaltReach): Promise<{ running: number; waiting: number }> {
  const { rows } = await sql<{ running: number; waiting: number }>`
    select count(*) filter (where actions.status = 'executing' and actions.next_attempt_at is null)::int as running,
      count(*) filter (where actions.status = 'approved' or actions.next_attempt_at is not null)::int as waiting
    from actions join servers on servers.id = actions.server_id
    where ${covered(halt)} and actions.status in ('approved', 'executing')
  `.execute(source.kysely);
  return rows[0] ?? { running: 0, waiting: 0 };
}

/** What this halt covers and has not ended: cards that say so. Those of a batch share one. */
export async function listCoveredOpen(
  source: Source,
  halt: HaltReach,
): Promise<{ id: string; batch_id: string | null }[]> {
  const { rows } = await sql<{ id: string; batch_id: string | null }>`
    select distinct on (coalesce(actions.batch_id, actions.id)) actions.id, actions.batch_id
    from actions join servers on servers.id = actions.server_id
    where ${covered(halt)} and actions.status in ('pending', 'approved', 'executing')
  `.execute(source.kysely);
  return rows;
}

/** Those whose beginning or end their cards do not show yet. */
export function listUnshownHalts(source: Source): Promise<HaltRow[]> {
  return source.kysely.selectFrom('halts').selectAll().where('cards_due', '=', true).orderBy('id').execute();
}

/** Unless it was lifted meanwhile: then its cards are due again. */
export async function markShown(tx: Tx, { id, lifted_at: liftedAt }: HaltRow): Promise<void> {
  await tx.kysely
    .updateTable('halts')
    .set({ cards_due: false })
    .where('id', '=', id)
    .where('lifted_at', liftedAt === null ? 'is' : 'is not', null)
    .execute();
}

function covered({ scope, value }: HaltReach) {
  if (scope === 'all') return sql<boolean>`true`;
  return scope === 'tag' ? sql<boolean>`${value} = any(servers.tags)` : sql<boolean>`actions.playbook = ${value}`;
}
