import { sql } from 'kysely';
import type { Database } from '../orm.ts';

/** `connectedMsAgo`: when it last had a socket, 0 while it has one; null: never. */
export interface SocketReport {
  id: string;
  isConnected: boolean;
  connectedMsAgo: number | null;
}

/** The newest word of one bot, by the database's clock; what nobody has said anything of for `keptMs` goes. */
export async function saveSocket(database: Database, report: SocketReport, keptMs: number): Promise<void> {
  const { id, isConnected, connectedMsAgo } = report;
  const connectedAt = sql<Date | null>`now() - ${connectedMsAgo}::float8 * interval '1 millisecond'`;
  const said = { seen_at: sql<Date>`now()`, is_connected: isConnected, connected_at: connectedAt };
  await database.kysely
    .insertInto('slack_sockets')
    .values({ id, ...said })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(said))
    .execute();
  await database.kysely
    .deleteFrom('slack_sockets')
    .where('seen_at', '<', sql<Date>`now() - ${keptMs} * interval '1 millisecond'`)
    .execute();
}

export async function deleteSocket(database: Database, id: string): Promise<void> {
  await database.kysely.deleteFrom('slack_sockets').where('id', '=', id).execute();
}

/**
 * Counts the bots heard of within `freshMs`; `silent_s`, of those within `keptMs`: since when none is known to have had
 * a socket, or since the first of them started where none ever had. Null where there is none.
 */
export async function countSockets(
  database: Database,
  { freshMs, keptMs }: { freshMs: number; keptMs: number },
): Promise<{ connected: number; lost: number; silent_s: number | null }> {
  const isWithin = (ms: number) => sql`seen_at > now() - ${ms} * interval '1 millisecond'`;
  const { rows } = await sql<{ connected: number; lost: number; silent_s: number | null }>`
    select
      (count(*) filter (where is_connected and ${isWithin(freshMs)}))::int as connected,
      (count(*) filter (where not is_connected and ${isWithin(freshMs)}))::int as lost,
      extract(epoch from now() - coalesce(max(connected_at), min(started_at)))::float8 as silent_s
    from slack_sockets where ${isWithin(keptMs)}
  `.execute(database.kysely);
  return rows[0] ?? { connected: 0, lost: 0, silent_s: null };
}
