import { sql } from 'kysely';
import type { Database, Tx } from '../orm.ts';
import type { OutboxKind } from '../entities/slack-outbox-entry.entity.ts';
import type { Row } from '../tables.ts';
import { toJson } from '../tables.ts';

export type OutboxRow = Row<'slack_outbox'>;

export interface OwedMessage {
  kind: OutboxKind;
  actionId: string | null;
  /** `kind` in it tells messages of one kind apart, such as the notice of a break-glass from that of a failure. */
  payload?: Record<string, unknown>;
}

/**
 * Owes Slack a message. A card, a notice or the output of an action is owed once: where it is owed already it becomes
 * due at once with the newest payload, and a send that is under way does not settle it (`version`). The card of an
 * action in a batch is the batch's. Private messages and reminders are never merged here.
 */
export async function enqueueOutbox(tx: Tx, entry: OwedMessage): Promise<void> {
  const payload = toJson(entry.payload ?? {});
  const batchId = entry.kind === 'card' ? await findBatchOf(tx, entry.actionId) : null;
  const owed = batchId === null ? { kind: entry.kind, action_id: entry.actionId } : ({ kind: 'batch' } as const);
  await tx.kysely
    .insertInto('slack_outbox')
    .values({ ...owed, batch_id: batchId, merge_key: mergeKeyOf(entry, batchId), payload })
    .onConflict((conflict) =>
      conflict
        .column('merge_key')
        .where('sent_at', 'is', null)
        .doUpdateSet({
          payload,
          version: sql<number>`slack_outbox.version + 1`,
          next_at: sql<Date>`least(slack_outbox.next_at, now())`,
        }),
    )
    .execute();
}

async function findBatchOf(tx: Tx, actionId: string | null): Promise<string | null> {
  if (actionId === null) return null;
  const row = await tx.kysely.selectFrom('actions').select('batch_id').where('id', '=', actionId).executeTakeFirst();
  return row?.batch_id ?? null;
}

/** Null: never merged. */
function mergeKeyOf({ kind, actionId, payload }: OwedMessage, batchId: string | null): string | null {
  if (batchId !== null) return `batch:${batchId}`;
  if (actionId === null || kind === 'private' || kind === 'reminder') return null;
  const topic = payload?.['kind'];
  return typeof topic === 'string' ? `${kind}:${actionId}:${topic}` : `${kind}:${actionId}`;
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
