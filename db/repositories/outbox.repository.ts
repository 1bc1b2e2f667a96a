import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { Database, Tx } from '../orm.ts';
import type { OutboxKind } from '../entities/slack-outbox-entry.entity.ts';
import type { NewRow, Row, Tables } from '../tables.ts';
import { toJson } from '../tables.ts';

export type OutboxRow = Row<'slack_outbox'>;

export interface OwedMessage {
  kind: OutboxKind;
  actionId: string | null;
  /** `kind` in it tells messages of one kind apart, such as the notice of a break-glass from that of a failure. */
  payload?: Record<string, unknown>;
  /** Of a card: nobody waits for the change, as only its surroundings changed. It goes after all that decides or ends. */
  isProgress?: boolean;
}

/**
 * Owes Slack a message. A card, a notice or the output of an action is owed once: where it is owed already it becomes
 * due at once with the newest payload, and a send that is under way does not settle it (`version`). The card of an
 * action in a batch is the batch's. Private messages and reminders are never merged here.
 */
export async function enqueueOutbox(tx: Tx, entry: OwedMessage): Promise<void> {
  const { kind, actionId, isProgress = false } = entry;
  const payload = kind === 'card' ? { progress: isProgress } : (entry.payload ?? {});
  const batchId = kind === 'card' ? await findBatchOf(tx, actionId) : null;
  if (batchId !== null) return enqueueBatch(tx, batchId);
  await owe(tx, { kind, action_id: actionId, merge_key: mergeKeyOf(entry), payload: toJson(payload) });
}

/** Owes Slack the card of a batch, once. */
export function enqueueBatch(tx: Tx, batchId: string): Promise<void> {
  return owe(tx, { kind: 'batch', batch_id: batchId, merge_key: `batch:${batchId}`, payload: toJson({}) });
}

async function owe(tx: Tx, entry: NewRow<'slack_outbox'> & { payload: string }): Promise<void> {
  await tx.kysely
    .insertInto('slack_outbox')
    .values(entry)
    .onConflict((conflict) =>
      conflict
        .column('merge_key')
        .where('sent_at', 'is', null)
        .doUpdateSet({
          // what somebody waits for stays urgent, and becomes so
          payload: sql<string>`case when ${entry.payload}::jsonb @> '{"progress": true}' then slack_outbox.payload
            else slack_outbox.payload || ${entry.payload}::jsonb end`,
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
function mergeKeyOf({ kind, actionId, payload }: OwedMessage): string | null {
  if (actionId === null || kind === 'private' || kind === 'reminder') return null;
  const topic = payload?.['kind'];
  return typeof topic === 'string' ? `${kind}:${actionId}:${topic}` : `${kind}:${actionId}`;
}

/** Whether another action of the same batch has owed the reminder of this step already. */
export async function isBatchReminded(tx: Tx, due: { actionId: string; step: number }): Promise<boolean> {
  const row = await tx.kysely
    .selectFrom('slack_outbox')
    .innerJoin('actions as reminded', 'reminded.id', 'slack_outbox.action_id')
    .innerJoin('actions as asking', 'asking.batch_id', 'reminded.batch_id')
    .select('slack_outbox.id')
    .where('asking.id', '=', due.actionId)
    .where('slack_outbox.kind', '=', 'reminder')
    .where(sql<boolean>`slack_outbox.payload -> 'step' = ${toJson(due.step)}::jsonb`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What is sent with what: edits of what stands, posts in the channel, direct messages. */
export type OutboxLane = 'update' | 'post' | 'private';

/** `is_urgent`: somebody waits for a decision here, or to see their own. */
export interface DueEntry extends OutboxRow {
  is_urgent: boolean;
}

/**
 * The entry of this lane that goes next, locked and not yet leased; null where none is due. What is urgent goes first
 * while `mayHurry`; then ends, what is urgent all the same, progress, and what nobody waits for. Ends come before the
 * rest because each is an edit's last: whatever else would be shown before it takes its place in the pace.
 */
export async function lockNextDue(
  kysely: Transaction<Tables>,
  input: { lane: OutboxLane; mayHurry: boolean },
): Promise<DueEntry | null> {
  const { rows } = await sql<DueEntry>`
    select slack_outbox.*, coalesce(${IS_URGENT}, false) as is_urgent
    from slack_outbox
    left join actions on actions.id = slack_outbox.action_id
    left join action_batches on action_batches.id = slack_outbox.batch_id
    where ${IS_DUE} and ${LANE} = ${input.lane}
    order by case when ${IS_URGENT} and ${input.mayHurry} then 0 when ${IS_END} then 1 when ${IS_URGENT} then 2
      when slack_outbox.kind = 'output' then 4 else 3 end, slack_outbox.id
    limit 1 for update of slack_outbox skip locked
  `.execute(kysely);
  return rows[0] ?? null;
}

/**
 * What may go out in the same message, locked: direct messages to the same person; notices or reminders of one batch. What
 * began together once goes together again, so that its lost post can be told from another.
 */
export async function lockCompanions(
  kysely: Transaction<Tables>,
  entry: DueEntry,
  limit: number,
): Promise<OutboxRow[]> {
  if (!MERGED.includes(entry.kind)) return [];
  const { rows } = await sql<OutboxRow>`
    select slack_outbox.* from slack_outbox
    left join actions on actions.id = slack_outbox.action_id
    where ${IS_DUE} and slack_outbox.kind = ${entry.kind} and slack_outbox.id <> ${entry.id}
      and slack_outbox.payload -> 'group' is not distinct from ${jsonOrNull(entry.payload['group'])}::jsonb
      and ${entry.kind === 'private' ? isToSamePerson(entry) : isOfSameBatch(entry)}
    order by slack_outbox.id limit ${limit} for update of slack_outbox skip locked
  `.execute(kysely);
  return rows;
}

const isToSamePerson = ({ payload }: OutboxRow) => sql<boolean>`
  slack_outbox.payload -> 'slack_user_id' is not distinct from ${jsonOrNull(payload['slack_user_id'])}::jsonb
  and slack_outbox.payload -> 'outcome_for' is not distinct from ${jsonOrNull(payload['outcome_for'])}::jsonb
  and slack_outbox.payload -> 'ask_of' is not distinct from ${jsonOrNull(payload['ask_of'])}::jsonb`;

const jsonOrNull = (value: unknown): string | null => (value === undefined ? null : toJson(value));

const MERGED: readonly OutboxKind[] = ['private', 'notice', 'reminder'];

/** A notice with a topic of its own, such as a break-glass, is never merged. */
const isOfSameBatch = (entry: OutboxRow) => sql<boolean>`
  not slack_outbox.payload ? 'kind' and ${!('kind' in entry.payload)}
  and actions.batch_id = (select batch_id from actions where id = ${entry.action_id})`;

const IS_DUE = sql<boolean>`slack_outbox.sent_at is null and slack_outbox.next_at <= clock_timestamp()
  and (slack_outbox.leased_until is null or slack_outbox.leased_until <= clock_timestamp())`;

const LANE = sql<OutboxLane>`case
  when slack_outbox.kind = 'private' then 'private'
  when slack_outbox.kind = 'card' and actions.slack_ts is not null then 'update'
  when slack_outbox.kind = 'batch' and action_batches.slack_ts is not null then 'update'
  else 'post' end`;

const IS_URGENT = sql<boolean>`case slack_outbox.kind
  when 'batch' then exists (
    select 1 from actions member where member.batch_id = slack_outbox.batch_id and member.status = 'pending'
  )
  when 'notice' then slack_outbox.payload ? 'kind'
  when 'announcement' then true
  when 'private' then slack_outbox.payload ? 'ask_of'
  when 'card' then not slack_outbox.payload @> '{"progress": true}' and (
    actions.status in ('pending', 'rejected', 'cancelled')
    or (actions.status = 'approved' and actions.approved_by <> 'auto')
  )
  else false end`;

const IS_END = sql<boolean>`(slack_outbox.kind in ('notice', 'private', 'reminder')
  or (slack_outbox.kind = 'batch' and not ${IS_URGENT})
  or (slack_outbox.kind = 'card' and actions.status in ('completed', 'failed', 'expired', 'rejected', 'cancelled')))`;

/** Hides the entries from other takers for `leaseMs`; a sender that dies loses none. */
export async function leaseOutbox(
  kysely: Transaction<Tables>,
  input: { ids: readonly number[]; leaseMs: number },
): Promise<void> {
  await kysely
    .updateTable('slack_outbox')
    .set({
      attempts: sql<number>`attempts + 1`,
      leased_until: sql<Date>`clock_timestamp() + ${input.leaseMs} * interval '1 millisecond'`,
    })
    .where('id', 'in', [...input.ids])
    .execute();
}

/** False where the entry became due again while it was sent: it stays owed and is due now. */
export async function markOutboxSent(database: Database, entry: Pick<OutboxRow, 'id' | 'version'>): Promise<boolean> {
  const row = await database.kysely
    .updateTable('slack_outbox')
    .set({ sent_at: sql<Date>`now()`, leased_until: null, last_error: null })
    .where('id', '=', entry.id)
    .where('version', '=', entry.version)
    .where('sent_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) {
    await database.kysely
      .updateTable('slack_outbox')
      .set({ next_at: sql<Date>`now()`, leased_until: null, attempts: 0 })
      .where('id', '=', entry.id)
      .where('sent_at', 'is', null)
      .execute();
  }
  return row !== undefined;
}

export async function markOutboxFailed(
  database: Database,
  input: { id: number; error: string; retryInMs: number },
): Promise<void> {
  await database.kysely
    .updateTable('slack_outbox')
    .set({ last_error: input.error, leased_until: null, next_at: afterNow(input.retryInMs) })
    .where('id', '=', input.id)
    .where('sent_at', 'is', null)
    .execute();
}

/** Keeps facts beside what the entry holds already. */
export async function addToPayload(
  database: Database,
  input: { id: number; facts: Readonly<Record<string, unknown>> },
): Promise<void> {
  await database.kysely
    .updateTable('slack_outbox')
    .set({ payload: sql<string>`payload || ${toJson(input.facts)}::jsonb` })
    .where('id', '=', input.id)
    .execute();
}

/** Until the transaction ends, which may sleep for so long; false where another one holds the name. */
export async function tryLockMessage(
  kysely: Transaction<Tables>,
  { name, patienceMs }: { name: string; patienceMs: number },
): Promise<boolean> {
  const key = sql`hashtextextended(${`slack:${name}`}, 0)`;
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(${key}) as locked,
      set_config('idle_in_transaction_session_timeout', ${String(patienceMs)}, true)`.execute(kysely);
  return rows[0]?.locked === true;
}

const afterNow = (ms: number) => sql<Date>`clock_timestamp() + ${ms} * interval '1 millisecond'`;

/** How many messages are owed, and since when the oldest. */
export async function readOutboxBacklog(database: Database): Promise<{ count: number; oldestAt: Date | null }> {
  const row = await database.kysely
    .selectFrom('slack_outbox')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('created_at').as('oldest_at')])
    .where('sent_at', 'is', null)
    .executeTakeFirstOrThrow();
  return { count: row.count, oldestAt: row.oldest_at };
}
