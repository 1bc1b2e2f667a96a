import { setTimeout as wait } from 'node:timers/promises';
import { isEnded } from '../../domain/lifecycle.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import { readBatch } from '../../services/slack/batches.ts';
import { readCard } from '../../services/slack/cards.ts';
import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { claimDue, OUTBOX_CHANNEL, settleFailed, settleSent, withMessageLock } from '../../services/slack/outbox.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { createPace } from './pace.ts';
import { SENDERS } from './senders.ts';

const POLL_MS = 1_000; // behind the NOTIFY, which may be missed, and for what comes due by itself
const BATCH = 50; // within it what waits for a decision goes first
const BATCH_MS = 1_000; // then look again: an edit that came meanwhile must not wait for a queue of posts
const BUSY_MS = 300; // another process is sending this message
const STOP_MS = 3_000;

// Slack: about one post a second and channel; chat.update 50 a minute.
const POSTS = { perSecond: 1, burst: 1 };
const UPDATES = { perSecond: 0.75, burst: 5 };

export interface OutboxPump {
  stop(): Promise<void>;
}

type Job = { entry: OutboxEntry; isPost: boolean; rank: number };
type Lane = { pace: ReturnType<typeof createPace>; notBefore: number };

/**
 * Sends what is owed to Slack until stopped. Posts and edits go in two lanes, so that an edit never waits for posts;
 * in each lane what waits for a decision goes first. Where Slack limits or fails, the lane rests and nothing is lost.
 */
export function startOutboxPump(deps: BotDeps): OutboxPump {
  const stopper = new AbortController();
  const { signal } = stopper;
  const lanes = { post: createLane(POSTS), update: createLane(UPDATES) };
  let wake = (): void => undefined;
  let isDue = true;
  const stopListening = deps.ctx.wakes.listen(OUTBOX_CHANNEL, () => {
    isDue = true;
    wake();
  });
  const rest = async (): Promise<void> => {
    if (isDue) return;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    await Promise.race([woken, wait(POLL_MS, undefined, { signal }).catch(() => undefined)]);
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await rest();
      isDue = false;
      try {
        if (await sendBatch(deps, lanes, signal)) isDue = true;
      } catch (error) {
        deps.log.warn({ err: error }, 'the outbox could not be read');
        await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopper.abort();
      wake();
      stopListening();
      await Promise.race([running, wait(STOP_MS, undefined, { ref: false })]);
    },
  };
}

function createLane(limit: { perSecond: number; burst: number }): Lane {
  return { pace: createPace(limit), notBefore: 0 };
}

/** True where more is due at once. */
async function sendBatch(deps: BotDeps, lanes: { post: Lane; update: Lane }, signal: AbortSignal): Promise<boolean> {
  const entries = await claimDue(deps.ctx, BATCH);
  const jobs = (await Promise.all(entries.map((entry) => createJob(deps, entry)))).toSorted(
    (a, b) => a.rank - b.rank || a.entry.id - b.entry.id,
  );
  const left = await Promise.all([
    sendLane(deps, { lane: lanes.post, jobs: jobs.filter(({ isPost }) => isPost), signal }),
    sendLane(deps, { lane: lanes.update, jobs: jobs.filter(({ isPost }) => !isPost), signal }),
  ]);
  return entries.length === BATCH || left.some(Boolean);
}

async function createJob(deps: BotDeps, entry: OutboxEntry): Promise<Job> {
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  const batch = entry.batch_id === null ? null : await readBatch(deps.ctx, entry.batch_id);
  const isPost = !['card', 'batch'].includes(entry.kind) || (action ?? batch)?.slackTs === null;
  return { entry, isPost, rank: action === null ? 3 : rankOf(action.status) };
}

/** Decisions first, then ends, then progress. */
function rankOf(status: ActionStatus): number {
  if (status === 'pending') return 0;
  return isEnded(status) ? 1 : 2;
}

/** Sends in order until the batch's time is over, and gives back the rest; true where that is due at once. */
async function sendLane(
  deps: BotDeps,
  input: { lane: Lane; jobs: readonly Job[]; signal: AbortSignal },
): Promise<boolean> {
  const { lane, signal } = input;
  const endsAt = Date.now() + BATCH_MS;
  let isDue = false;
  for (const { entry } of input.jobs) {
    const restMs = lane.notBefore - Date.now();
    if (restMs > 0 || signal.aborted || Date.now() > endsAt) {
      isDue ||= restMs <= 0;
      await settleFailed(deps.ctx, entry, { error: 'waits for its turn', retryAfterMs: Math.max(restMs, 0) });
      continue;
    }
    await lane.pace.take(signal).catch(() => undefined);
    await sendOne(deps, lane, entry);
  }
  return isDue;
}

async function sendOne(deps: BotDeps, lane: Lane, entry: OutboxEntry): Promise<void> {
  try {
    const wasFree = await withMessageLock(deps.ctx, entry.action_id ?? entry.batch_id ?? `entry-${entry.id}`, () =>
      send(deps, entry),
    );
    if (wasFree === undefined) await settleFailed(deps.ctx, entry, { error: 'being sent', retryAfterMs: BUSY_MS });
    else await settleSent(deps.ctx, entry);
  } catch (error) {
    const failure = readSlackFailure(error);
    const retryAfterMs = failure.kind === 'limited' ? failure.retryAfterMs : undefined;
    if (retryAfterMs !== undefined) lane.notBefore = Date.now() + retryAfterMs;
    deps.log.warn({ entry: entry.id, action_id: entry.action_id, code: failure.code }, 'Slack did not take a message');
    await settleFailed(deps.ctx, entry, { error: failure.code, retryAfterMs });
  }
}

async function send(deps: BotDeps, entry: OutboxEntry): Promise<true> {
  await SENDERS[entry.kind](deps, entry);
  return true;
}
