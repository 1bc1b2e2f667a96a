import { sql } from 'kysely';
import type { Database } from '../orm.ts';
import type { Row } from '../tables.ts';

export type HomeRow = Row<'slack_homes'>;

/** Somebody opened their Home. */
export async function noteHomeOpened(database: Database, slackUserId: string): Promise<void> {
  await database.kysely
    .insertInto('slack_homes')
    .values({ slack_user_id: slackUserId })
    .onConflict((conflict) => conflict.column('slack_user_id').doUpdateSet({ opened_at: sql<Date>`now()` }))
    .execute();
}

/** What it shows, and up to which audit event it was looked through. */
export async function savePublishedHome(
  database: Database,
  home: { slackUserId: string; digest: string; seenSeq: number },
): Promise<void> {
  await database.kysely
    .updateTable('slack_homes')
    .set({ digest: home.digest, seen_seq: home.seenSeq, checked_at: sql<Date>`now()` })
    .where('slack_user_id', '=', home.slackUserId)
    .execute();
}

/**
 * Homes opened within `openMs` that may show something old: since their last look something happened, or `staleMs` have
 * passed. Each is looked at every `pauseMs` at most, by one process at a time.
 */
export async function claimHomes(
  database: Database,
  input: { limit: number; openMs: number; pauseMs: number; staleMs: number },
): Promise<HomeRow[]> {
  const ago = (ms: number) => sql<Date>`now() - ${ms} * interval '1 millisecond'`;
  const { rows } = await sql<HomeRow>`
    update slack_homes set checked_at = now()
    where slack_user_id in (
      select slack_user_id from slack_homes
      where opened_at > ${ago(input.openMs)} and checked_at <= ${ago(input.pauseMs)}
        and (seen_seq <> (select seq from audit_head where id = 1) or checked_at <= ${ago(input.staleMs)})
      order by checked_at limit ${input.limit} for update skip locked
    )
    returning *
  `.execute(database.kysely);
  return rows;
}

/** The next look publishes, whatever was published before. */
export async function forgetPublishedHome(database: Database, slackUserId: string): Promise<void> {
  await database.kysely
    .updateTable('slack_homes')
    .set({ digest: null, seen_seq: 0, checked_at: new Date(0) })
    .where('slack_user_id', '=', slackUserId)
    .execute();
}
