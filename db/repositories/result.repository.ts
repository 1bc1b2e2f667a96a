import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { NewRow, Row } from '../tables.ts';
import type { Source } from './source.ts';

export type ResultRow = Row<'results'>;

/** Stores a result that is owed, once per command: null where one is there already. */
export async function insertResult(tx: Tx, result: NewRow<'results'>): Promise<ResultRow | null> {
  const row = await tx.kysely
    .insertInto('results')
    .values(result)
    .onConflict((conflict) => conflict.column('command_id').where('is_late', '=', sql.lit(false)).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Keeps a result that moves nothing any more. */
export function insertLateResult(tx: Tx, result: NewRow<'results'>): Promise<ResultRow> {
  return tx.kysely
    .insertInto('results')
    .values({ ...result, is_late: true })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findResultOfCommand(source: Source, commandId: string): Promise<ResultRow | null> {
  const row = await source.kysely
    .selectFrom('results')
    .selectAll()
    .where('command_id', '=', commandId)
    .where('is_late', '=', false)
    .executeTakeFirst();
  return row ?? null;
}

export function listLateResults(source: Source, actionId: string): Promise<ResultRow[]> {
  return source.kysely
    .selectFrom('results')
    .selectAll()
    .where('action_id', '=', actionId)
    .where('is_late', '=', true)
    .orderBy('received_at')
    .orderBy('id')
    .execute();
}

/** Results whose workflow has not taken them over, oldest first: what a pump signals again. */
export function listUnadoptedResults(
  source: Source,
  input: { receivedBefore: Date; limit: number },
): Promise<ResultRow[]> {
  return source.kysely
    .selectFrom('results')
    .selectAll()
    .where('adopted_at', 'is', null)
    .where('is_late', '=', sql.lit(false))
    .where('received_at', '<=', input.receivedBefore)
    .orderBy('received_at')
    .limit(input.limit)
    .execute();
}

/** Says that the workflow has taken the result over. Again: nothing changes. */
export async function markResultAdopted(tx: Tx, id: number): Promise<void> {
  await tx.kysely
    .updateTable('results')
    .set({ adopted_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .where('adopted_at', 'is', null)
    .execute();
}
