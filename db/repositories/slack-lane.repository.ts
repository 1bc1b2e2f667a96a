import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { Row, RowChange, Tables } from '../tables.ts';
import type { Source } from './source.ts';

export type LaneRow = Row<'slack_lanes'>;

/** Locks the lane until the transaction ends, made where it is new; `now_ms` is the database's clock, under the lock. */
export async function lockLane(
  kysely: Transaction<Tables>,
  name: string,
): Promise<LaneRow & { now_ms: number; rest_ms: number }> {
  await kysely
    .insertInto('slack_lanes')
    .values({ name })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const lane = await kysely
    .selectFrom('slack_lanes')
    .selectAll()
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { rows } = await sql<{ now_ms: number }>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms
  `.execute(kysely);
  const nowMs = rows[0]?.now_ms ?? Date.now();
  return { ...lane, now_ms: nowMs, rest_ms: (lane.rests_until?.getTime() ?? 0) - nowMs };
}

/**
 * What of this lane went before something that was due longer, locked in the same way. It is counted apart, in a row of
 * its own beside the lane's: nothing is ever sent by it.
 */
export function lockHurries(kysely: Transaction<Tables>, lane: string): Promise<LaneRow> {
  return lockLane(kysely, `${lane} hurried`);
}

export async function updateLane(source: Source, name: string, set: RowChange<'slack_lanes'>): Promise<void> {
  await source.kysely.updateTable('slack_lanes').set(set).where('name', '=', name).execute();
}
