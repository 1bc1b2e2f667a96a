import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { NewRow, Row, RowChange } from '../tables.ts';
import { toJson } from '../tables.ts';
import { withCourse } from './action-course.ts';
import type { ActionWithNames } from './action.repository.ts';
import { selectWithServer } from './action.repository.ts';
import type { Source } from './source.ts';

export type BatchRow = Row<'action_batches'>;

/** Requests that could share a card: of one version of a playbook, under the same requirement. */
export interface Alike {
  playbook: string;
  digest: string;
  requirement: object;
  since: Date;
}

export async function findBatch(source: Source, id: string): Promise<BatchRow | null> {
  const row = await source.kysely.selectFrom('action_batches').selectAll().where('id', '=', id).executeTakeFirst();
  return row ?? null;
}

/** Null where the action has a card of its own. */
export async function findBatchIdOf(source: Source, actionId: string): Promise<string | null> {
  const row = await source.kysely
    .selectFrom('actions')
    .select('batch_id')
    .where('id', '=', actionId)
    .executeTakeFirst();
  return row?.batch_id ?? null;
}

/** Where the action's card stands, or its batch's; null where none does. */
export async function findStandingCard(
  source: Source,
  actionId: string,
): Promise<{ channel: string; ts: string } | null> {
  const row = await source.kysely
    .selectFrom('actions')
    .leftJoin('action_batches', 'action_batches.id', 'actions.batch_id')
    .select(({ fn }) => [
      fn.coalesce('actions.slack_channel', 'action_batches.slack_channel').as('channel'),
      fn.coalesce('actions.slack_ts', 'action_batches.slack_ts').as('ts'),
    ])
    .where('actions.id', '=', actionId)
    .executeTakeFirst();
  if (row === undefined || row.channel === null || row.ts === null) return null;
  return { channel: row.channel, ts: row.ts };
}

/** Oldest first. */
export async function listBatchActions(source: Source, batchId: string): Promise<ActionWithNames[]> {
  const rows = await selectWithServer(source)
    .where('actions.batch_id', '=', batchId)
    .orderBy('actions.requested_at')
    .orderBy('actions.id')
    .execute();
  return withCourse(source, rows);
}

/** Until the transaction ends, nobody else decides which batch a request of this playbook joins. */
export async function lockBatchesOf(tx: Tx, playbook: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`batch:${playbook}`}, 0))`.execute(tx.kysely);
}

export async function countAlike(tx: Tx, alike: Alike): Promise<number> {
  const row = await tx.kysely
    .selectFrom('actions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('playbook', '=', alike.playbook)
    .where('requested_at', '>', alike.since)
    .where('playbook_digest', '=', alike.digest)
    .where(sql<boolean>`approval_rule = ${toJson(alike.requirement)}::jsonb`)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** The newest batch of such requests that is not full and was begun since then. */
export async function findOpenBatch(tx: Tx, wanted: Alike & { maxActions: number }): Promise<BatchRow | null> {
  const { rows } = await sql<BatchRow>`
    select action_batches.* from action_batches
    join lateral (
      select count(*) as size, max(playbook_digest) as digest, max(approval_rule::text)::jsonb as rule
      from actions where actions.batch_id = action_batches.id
    ) members on true
    where action_batches.playbook = ${wanted.playbook} and action_batches.created_at > ${wanted.since}
      and members.size < ${wanted.maxActions} and members.digest = ${wanted.digest}
      and members.rule = ${toJson(wanted.requirement)}::jsonb
    order by action_batches.created_at desc limit 1
  `.execute(tx.kysely);
  return rows[0] ?? null;
}

export async function insertBatch(tx: Tx, batch: NewRow<'action_batches'>): Promise<BatchRow> {
  return tx.kysely.insertInto('action_batches').values(batch).returningAll().executeTakeFirstOrThrow();
}

/** The card's place; its actions link to it too. */
export async function updateBatch(tx: Tx, id: string, set: RowChange<'action_batches'>): Promise<void> {
  await tx.kysely.updateTable('action_batches').set(set).where('id', '=', id).execute();
  if (set.slack_permalink === undefined) return;
  await tx.kysely
    .updateTable('actions')
    .set({ slack_permalink: set.slack_permalink })
    .where('batch_id', '=', id)
    .execute();
}
