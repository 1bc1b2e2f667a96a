import { sql } from 'kysely';
import type { Database, Tx } from '../orm.ts';
import type { OutboxKind } from '../entities/slack-outbox-entry.entity.ts';
import type { Row } from '../tables.ts';
import { toJson } from '../tables.ts';

export type OutboxRow = Row<'slack_outbox'>;

/**
 * Owes Slack a message. A card or a notice of an action is owed once: where it is owed already it becomes due at once
 * with the newest payload, and a send that is under way does not settle it (`version`).
 */
export async function enqueueOutbox(
  tx: Tx,
  entry: { kind: OutboxKind; actionId: string | null; payload?: Record<string, unknown> },
): Promise<void> {
  const payload = toJson(entry.payload ?? {});
  await tx.kysely
    .insertInto('slack_outbox')
    .values({ kind: entry.kind, action_id: entry.actionId, payload })
    .onConflict((conflict) =>
      conflict
        .columns(['action_id', 'kind'])
        .where('sent_at', 'is', null)
        .where('kind', '<>', sql.lit('private'))
        .doUpdateSet({
          payload,
          version: sql<number>`slack_outbox.version + 1`,
          next_at: sql<Date>`least(slack_outbox.next_at, now())`,
        }),
    )
    .execute();
}

/** Takes entries that are due and hides them for `leaseMs` from other takers; a sender that dies loses none. */
export async function claimOutbox(database: Database, input: { limit: number; leaseMs: number }): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`
    update slack_outbox set attempts = attempts + 1, next_at = now() + ${input.leaseMs} * interval '1 millisecond'
    where id in (
      select id from slack_outbox where sent_at is null and next_at <= now()
      order by next_at, id limit ${input.limit} for update skip locked
    )
    returning *
  `.execute(database.kysely);
  return rows.toSorted((a, b) => a.id - b.id);
}

/** False where the entry became due again while it was sent: it stays owed and is due now. */
export async function markOutboxSent(database: Database, entry: Pick<OutboxRow, 'id' | 'version'>): Promise<boolean> {
  const row = await database.kysely
    .updateTable('slack_outbox')
    .set({ sent_at: sql<Date>`now()`, last_error: null })
    .where('id', '=', entry.id)
    .where('version', '=', entry.version)
    .where('sent_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) {
    await database.kysely
      .updateTable('slack_outbox')
      .set({ next_at: sql<Date>`now()`, attempts: 0 })
      .where('id', '=', entry.id)
      .where('sent_at', 'is', null)
      .execute();
  }
  return row !== undefined;
}

export async function markOutboxFailed(
  database: Database,
  input: { id: number; error: string; retryAt: Date },
): Promise<void> {
  await database.kysely
    .updateTable('slack_outbox')
    .set({ last_error: input.error, next_at: input.retryAt })
    .where('id', '=', input.id)
    .where('sent_at', 'is', null)
    .execute();
}

/** How many messages are owed, and since when the oldest. */
export async function readOutboxBacklog(database: Database): Promise<{ count: number; oldestAt: Date | null }> {
  const row = await database.kysely
    .selectFrom('slack_outbox')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('created_at').as('oldest_at')])
    .where('sent_at', 'is', null)
    .executeTakeFirstOrThrow();
  return { count: row.count, oldestAt: row.oldest_at };
}
