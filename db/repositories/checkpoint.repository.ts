import { sql } from 'kysely';
import type { Database, Tx } from '../orm.ts';
import type { NewRow } from '../tables.ts';
import type { Source } from './source.ts';

/** `ageMs` by the database's clock. */
export interface KeptCheckpoint {
  count: number;
  head: string;
  jws: string;
  ageMs: number;
}

export async function findNewestCheckpoint(source: Source): Promise<KeptCheckpoint | null> {
  const row = await source.kysely
    .selectFrom('checkpoints')
    .select(['count', 'head', 'jws'])
    .select(sql<number>`(extract(epoch from clock_timestamp() - signed_at) * 1000)::float8`.as('ageMs'))
    .orderBy('count', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** False where one of as many events, or of more, is kept already: another process was faster. */
export async function keepCheckpoint(
  database: Database,
  checkpoint: Pick<NewRow<'checkpoints'>, 'count' | 'head' | 'jws'>,
): Promise<boolean> {
  const { count, head, jws } = checkpoint;
  const { numAffectedRows } = await sql`
    insert into checkpoints (count, head, jws)
    select ${count}::bigint, ${head}, ${jws} where not exists (select from checkpoints where count >= ${count}::bigint)
    on conflict do nothing
  `.execute(database.kysely);
  return numAffectedRows === 1n;
}

/** How long the log had grown until this day (UTC) began, where that was not told yet and is news. */
export async function findUntoldGrowth(source: Source): Promise<{ count: number; head: string } | null> {
  const { rows } = await sql<{ count: number; head: string }>`
    select newest.count, newest.head from (
      select count, head from checkpoints where signed_at < ${DAY_START} order by count desc limit 1
    ) newest
    where newest.count > coalesce((select max(count) from audit_reports), 0)
      and not exists (select from audit_reports where day = ${TODAY})
  `.execute(source.kysely);
  return rows[0] ?? null;
}

/** False where another process tells it: once a day over all of them. */
export async function claimReport(tx: Tx, count: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into audit_reports (day, count) values (${TODAY}, ${count}::bigint) on conflict do nothing
  `.execute(tx.kysely);
  return numAffectedRows === 1n;
}

const TODAY = sql<string>`(now() at time zone 'utc')::date`;
const DAY_START = sql<Date>`date_trunc('day', now() at time zone 'utc') at time zone 'utc'`;
