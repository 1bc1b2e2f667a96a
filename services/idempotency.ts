import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import type { Row } from '../db/tables.ts';
import { toJson } from '../db/tables.ts';
import { durably } from '../domain/durable-step.ts';
import { ConflictError, InvalidInputError, MedicError } from '../domain/errors.ts';
import type { Context } from './context.ts';

const KEPT = '24 hours';
const LEASE = '30 seconds'; // ten times what the slowest write takes; then whoever began it is dead
const POLL_MS = 50;
const LONGEST_WAIT_MS = 20_000;
const KEY = /^[\x21-\x7e]{1,200}$/;

export interface IdempotentWrite<T> {
  principal: string;
  method: string;
  path: string;
  /** What the client sent as Idempotency-Key. */
  key: string;
  body: unknown;
  /**
   * The write. `effectId` is the same for every try under this key: a write that makes it the id of what it stores
   * happens once even where a process dies between the write and its answer.
   */
  run(effectId: string): Promise<T>;
  /** What may be kept of the answer: everything but secrets. */
  keep(answer: T): unknown;
}

/** `isRepeat`: `answer` is what was kept of the first one. */
export type IdempotentAnswer<T> = { isRepeat: false; answer: T } | { isRepeat: true; answer: unknown };

type KeyRow = Row<'idempotency_keys'>;

/**
 * States of a key: in flight (`status` null, with a lease) → answered; a write that is refused frees its key, because
 * nothing was changed. A second try waits for the first. Kept for 24 hours.
 *
 * Throws ConflictError `idempotency_mismatch` for another body, `idempotency_in_flight` where the first try takes too
 * long; InvalidInputError `invalid_idempotency_key`; and whatever the write throws.
 */
export async function withIdempotency<T>(ctx: Context, write: IdempotentWrite<T>): Promise<IdempotentAnswer<T>> {
  if (!KEY.test(write.key)) {
    const message = 'Idempotency-Key must be 1 to 200 visible ASCII characters.';
    throw new InvalidInputError(message, { code: 'invalid_idempotency_key' });
  }
  const bodyHash = hashBody(write.body);
  const deadlineMs = Date.now() + LONGEST_WAIT_MS;
  for (;;) {
    const effectId = await durably('idempotency.claim', () => claim(ctx, write, bodyHash));
    if (effectId !== null) return { isRepeat: false, answer: await runAndKeep(ctx, write, effectId) };
    const row = await find(ctx, write);
    if (row !== null && row.body_hash !== bodyHash) {
      const message = 'This Idempotency-Key came before with another body: use a new key for a new request.';
      throw new ConflictError(message, { code: 'idempotency_mismatch' });
    }
    if (row !== null && row.status !== null) return { isRepeat: true, answer: row.answer };
    if (Date.now() > deadlineMs) {
      const message = 'The first request with this Idempotency-Key is still in flight: ask again.';
      throw new ConflictError(message, { code: 'idempotency_in_flight' });
    }
    await delay(POLL_MS);
  }
}

/** The effect id where this try is the one to write; null where another holds the key or has answered. */
async function claim<T>(ctx: Context, write: IdempotentWrite<T>, bodyHash: string): Promise<string | null> {
  const { kysely } = ctx.database;
  const { principal, method, path, key } = write;
  await kysely
    .deleteFrom('idempotency_keys')
    .where('created_at', '<', sql<Date>`clock_timestamp() - ${KEPT}::interval`)
    .execute();
  const lease = sql<string>`jsonb_build_object('effect_id', ${randomUUID()}::text, 'leased_at', clock_timestamp())`;
  const created = await kysely
    .insertInto('idempotency_keys')
    .values({ principal, method, path, key, body_hash: bodyHash, answer: lease })
    .onConflict((conflict) => conflict.doNothing())
    .returning('answer')
    .executeTakeFirst();
  if (created !== undefined) return readEffectId(created.answer);
  const taken = await kysely
    .updateTable('idempotency_keys')
    .set({ answer: sql<string>`jsonb_set(answer, '{leased_at}', to_jsonb(clock_timestamp()))` })
    .where((eb) => eb.and({ principal, method, path, key, body_hash: bodyHash }))
    .where('status', 'is', null)
    .where(sql<boolean>`(answer->>'leased_at')::timestamptz < clock_timestamp() - ${LEASE}::interval`)
    .returning('answer')
    .executeTakeFirst();
  return taken === undefined ? null : readEffectId(taken.answer);
}

async function runAndKeep<T>(ctx: Context, write: IdempotentWrite<T>, effectId: string): Promise<T> {
  const { kysely } = ctx.database;
  const { principal, method, path, key } = write;
  try {
    const answer = await write.run(effectId);
    await durably('idempotency.keep', () =>
      kysely
        .updateTable('idempotency_keys')
        .set({ status: 200, answer: toJson(write.keep(answer)) })
        .where((eb) => eb.and({ principal, method, path, key }))
        .where('status', 'is', null)
        .execute(),
    );
    return answer;
  } catch (error) {
    const isUntouched = error instanceof MedicError;
    await durably('idempotency.free', () => free(ctx, write, { isUntouched })).catch(() => undefined); // the lease frees it then
    throw error;
  }
}

/** What refused the write changed nothing. Anything else may hide a commit: the next try has the same effect id. */
async function free<T>(
  ctx: Context,
  { principal, method, path, key }: IdempotentWrite<T>,
  { isUntouched }: { isUntouched: boolean },
): Promise<void> {
  const { kysely } = ctx.database;
  const remove = kysely.deleteFrom('idempotency_keys');
  const leaseOver = sql<string>`jsonb_set(answer, '{leased_at}', '"-infinity"')`;
  const release = kysely.updateTable('idempotency_keys').set({ answer: leaseOver });
  const which = { principal, method, path, key };
  if (isUntouched) {
    await remove
      .where((eb) => eb.and(which))
      .where('status', 'is', null)
      .execute();
  } else {
    await release
      .where((eb) => eb.and(which))
      .where('status', 'is', null)
      .execute();
  }
}

async function find<T>(ctx: Context, write: IdempotentWrite<T>): Promise<KeyRow | null> {
  const { principal, method, path, key } = write;
  const row = await ctx.database.kysely
    .selectFrom('idempotency_keys')
    .selectAll()
    .where((eb) => eb.and({ principal, method, path, key }))
    .executeTakeFirst();
  return row ?? null;
}

function readEffectId(answer: unknown): string {
  return (answer as { effect_id: string }).effect_id;
}

/** Over the canonical form: the order of keys and white space make no other request. */
function hashBody(body: unknown): string {
  return createHash('sha256')
    .update(canonicalize(body ?? null) ?? '')
    .digest('hex');
}
