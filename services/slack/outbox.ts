import type { Transaction } from 'kysely';
import type { OutboxLane, OutboxRow } from '../../db/repositories/outbox.repository.ts';
import * as outbox from '../../db/repositories/outbox.repository.ts';
import { lockHurries, lockLane, updateLane } from '../../db/repositories/slack-lane.repository.ts';
import type { Tables } from '../../db/tables.ts';
import { toJson } from '../../db/tables.ts';
import { durably } from '../../domain/durable-step.ts';
import type { Context } from '../context.ts';
import type { Pace } from './pace.ts';
import { judgePace, recentOf } from './pace.ts';

export { OUTBOX_CHANNEL } from '../../db/announce.ts';
export type { OutboxKind } from '../../db/entities/slack-outbox-entry.entity.ts';
export type { OutboxLane } from '../../db/repositories/outbox.repository.ts';

const LEASE_MS = 120_000; // longer than one message takes: eight calls at most, each bounded by its own 10 s
const BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000; // an outage that ends is noticed within half a minute
const MAX_COMPANIONS = 39; // one message tells of 40 at most
const FEWEST_MERGED_NOTICES = 6; // up to five failures of a batch are told one by one

export type OutboxEntry = Pick<
  OutboxRow,
  'id' | 'kind' | 'action_id' | 'batch_id' | 'payload' | 'version' | 'attempts'
>;

/** One way to Slack. What has the same `name` keeps one pace, over all processes. */
export interface Lane {
  name: string;
  sends: OutboxLane;
  pace: Pace;
}

export type Turn =
  /** Leased to this process: send it, with its companions in the same message, and settle it. */
  | { kind: 'send'; entry: OutboxEntry; companions: OutboxEntry[] }
  /** Something is due and its turn comes in `waitMs`, sooner only for what cannot wait. */
  | { kind: 'wait'; waitMs: number }
  | { kind: 'idle' };

/** Asks for the lane's next turn. What goes first is judged now, so nothing waits behind what came before it. */
export function takeTurn(ctx: Context, lane: Lane): Promise<Turn> {
  return durably('outbox.lease', () => ctx.database.kysely.transaction().execute((kysely) => chooseTurn(kysely, lane)));
}

async function chooseTurn(kysely: Transaction<Tables>, lane: Lane): Promise<Turn> {
  const { sent_ms: sentMs, now_ms: nowMs, rest_ms: restMs } = await lockLane(kysely, lane.name);
  if (restMs > 0) return { kind: 'wait', waitMs: restMs };
  const hurries = await lockHurries(kysely, lane.name);
  const hurriedMs = recentOf(lane.pace, hurries.sent_ms, nowMs);
  const mayHurry = hurriedMs.length < lane.pace.hurriesInWindow;
  const entry = await outbox.lockNextDue(kysely, { lane: lane.sends, mayHurry });
  if (entry === null) return { kind: 'idle' };
  const { waitMs } = judgePace(lane.pace, { sentMs, nowMs, isUrgent: entry.is_urgent });
  if (waitMs > 0) return { kind: 'wait', waitMs };
  const found = await outbox.lockCompanions(kysely, entry, MAX_COMPANIONS);
  const isWorthIt = entry.kind !== 'notice' || found.length + 1 >= FEWEST_MERGED_NOTICES || isGrouped(entry);
  const companions = isWorthIt ? found : [];
  await outbox.leaseOutbox(kysely, { ids: [entry, ...companions].map(({ id }) => id), leaseMs: LEASE_MS });
  const sent = [...recentOf(lane.pace, sentMs, nowMs), nowMs];
  await updateLane({ kysely }, lane.name, { sent_ms: toJson(sent) });
  if (entry.is_urgent && mayHurry) {
    await updateLane({ kysely }, hurries.name, { sent_ms: toJson([...hurriedMs, nowMs]) });
  }
  return { kind: 'send', entry, companions };
}

const isGrouped = (entry: OutboxEntry): boolean => entry.payload['group'] !== undefined;

/** Slack answered: the lane's pace counts from here, and it is well again. */
export async function noteAnswer(ctx: Context, lane: Lane): Promise<void> {
  await pace(ctx, async (kysely) => {
    const { sent_ms: sentMs, now_ms: nowMs, failures } = await lockLane(kysely, lane.name);
    const isFromHere = lane.pace.countsFrom === 'answer';
    if (!isFromHere && failures === 0) return;
    const sent = isFromHere ? { sent_ms: toJson([...sentMs.slice(0, -1), nowMs]) } : {};
    await updateLane({ kysely }, lane.name, { ...sent, failures: 0 });
  });
}

/** Nothing goes this way until then: what Slack asked for, or where it did not answer a growing while. */
export async function restLane(ctx: Context, lane: Lane, input: { restMs?: number | undefined }): Promise<void> {
  await pace(ctx, async (kysely) => {
    const { failures, now_ms: nowMs } = await lockLane(kysely, lane.name);
    const restMs = input.restMs ?? backoffOf(failures);
    const set = { rests_until: new Date(nowMs + restMs) };
    await updateLane({ kysely }, lane.name, input.restMs === undefined ? { ...set, failures: failures + 1 } : set);
  });
}

function pace(ctx: Context, change: (kysely: Transaction<Tables>) => Promise<void>): Promise<void> {
  return durably('outbox.pace', () => ctx.database.kysely.transaction().execute(change));
}

/** False where the message changed while it was sent: it is due again. */
export function settleSent(ctx: Context, entry: OutboxEntry): Promise<boolean> {
  return durably('outbox.settle', () => outbox.markOutboxSent(ctx.database, entry));
}

/** Tries again: at once where the lane is what rests, else after a growing wait. Nothing is ever given up on. */
export async function settleFailed(
  ctx: Context,
  entry: OutboxEntry,
  failure: { error: string; isLaneResting: boolean },
): Promise<void> {
  const isPatient = failure.isLaneResting && entry.attempts < 3; // then others go first, it may be its own fault
  const retryInMs = isPatient ? 0 : backoffOf(entry.attempts);
  const failed = { id: entry.id, error: failure.error.slice(0, 500), retryInMs };
  await durably('outbox.settle', () => outbox.markOutboxFailed(ctx.database, failed));
}

function backoffOf(failures: number): number {
  return Math.min(BACKOFF_MS * 2 ** Math.min(failures, 10), LONGEST_BACKOFF_MS);
}

/** Notes that a post begins, so that one whose answer is lost is looked for before it is sent again. */
export function noteIntent(ctx: Context, entry: OutboxEntry, facts: Record<string, unknown> = {}): Promise<void> {
  return addToPayload(ctx, entry, { ...facts, begun: true });
}

/** The post was refused for certain: there is nothing to look for. */
export function forgetIntent(ctx: Context, entry: OutboxEntry): Promise<void> {
  return addToPayload(ctx, entry, { begun: false });
}

function addToPayload(ctx: Context, { id }: OutboxEntry, facts: Record<string, unknown>): Promise<void> {
  return durably('outbox.note_intent', () => outbox.addToPayload(ctx.database, { id, facts }));
}

/**
 * Runs `work` while no other process sends a message of this name: a newer state could otherwise overtake an older one
 * on its way to Slack, where a lease ran out. Undefined where another process is at it.
 */
export function withMessageLock<T>(ctx: Context, name: string, work: () => Promise<T>): Promise<T | undefined> {
  return ctx.database.kysely.transaction().execute(async (transaction) => {
    return (await outbox.tryLockMessage(transaction, { name, patienceMs: LEASE_MS })) ? work() : undefined;
  });
}
