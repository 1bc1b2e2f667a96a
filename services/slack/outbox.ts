import { sql } from 'kysely';
import type { OutboxRow } from '../../db/repositories/outbox.repository.ts';
import * as outbox from '../../db/repositories/outbox.repository.ts';
import { toJson } from '../../db/tables.ts';
import type { Context } from '../context.ts';

export { OUTBOX_CHANNEL } from '../../db/announce.ts';
export type { OutboxKind } from '../../db/entities/slack-outbox-entry.entity.ts';

export const LEASE_MS = 60_000; // longer than a batch takes at one call a second, each bounded by its own timeout
const BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000; // an outage that ends is noticed within half a minute

export type OutboxEntry = Pick<
  OutboxRow,
  'id' | 'kind' | 'action_id' | 'batch_id' | 'payload' | 'version' | 'attempts'
>;

/** Messages that are owed and due, leased to this process. */
export function claimDue(ctx: Context, limit: number): Promise<OutboxEntry[]> {
  return outbox.claimOutbox(ctx.database, { limit, leaseMs: LEASE_MS });
}

/** False where the message changed while it was sent: it is due again. */
export function settleSent(ctx: Context, entry: OutboxEntry): Promise<boolean> {
  return outbox.markOutboxSent(ctx.database, entry);
}

/** Tries again after what Slack asked for, else after a growing wait. Nothing is ever given up on. */
export async function settleFailed(
  ctx: Context,
  entry: OutboxEntry,
  failure: { error: string; retryAfterMs?: number | undefined },
): Promise<void> {
  const waitMs = failure.retryAfterMs ?? Math.min(BACKOFF_MS * 2 ** Math.min(entry.attempts, 10), LONGEST_BACKOFF_MS);
  const retryAt = new Date(Date.now() + waitMs);
  await outbox.markOutboxFailed(ctx.database, { id: entry.id, error: failure.error.slice(0, 500), retryAt });
}

/** Notes that a post begins, so that one whose answer is lost is looked for before it is sent again. */
export async function noteIntent(ctx: Context, entry: OutboxEntry): Promise<void> {
  await ctx.database.kysely
    .updateTable('slack_outbox')
    .set({ payload: toJson({ ...entry.payload, begun: true }) })
    .where('id', '=', entry.id)
    .execute();
}

/** The post was refused for certain: there is nothing to look for. */
export async function forgetIntent(ctx: Context, entry: OutboxEntry): Promise<void> {
  await ctx.database.kysely
    .updateTable('slack_outbox')
    .set({ payload: toJson({ ...entry.payload, begun: false }) })
    .where('id', '=', entry.id)
    .execute();
}

/**
 * Runs `work` while no other process sends a message of this action: a newer state could otherwise overtake an older
 * one on its way to Slack. Undefined where another process is at it.
 */
export function withMessageLock<T>(ctx: Context, actionId: string, work: () => Promise<T>): Promise<T | undefined> {
  return ctx.database.kysely.transaction().execute(async (transaction) => {
    const key = sql`hashtextextended(${`slack:${actionId}`}, 0)`;
    const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${key}) as locked`.execute(
      transaction,
    );
    return rows[0]?.locked === true ? work() : undefined;
  });
}
