import { setTimeout as wait } from 'node:timers/promises';
import type { Lane, OutboxEntry, Turn } from '../../services/slack/outbox.ts';
import {
  noteAnswer,
  OUTBOX_CHANNEL,
  restLane,
  settleFailed,
  settleSent,
  takeTurn,
  withMessageLock,
} from '../../services/slack/outbox.ts';
import type { BotDeps } from '../deps.ts';
import { isSlackAway, readSlackFailure } from '../transport/web-client.ts';
import type { Hints } from './hints.ts';
import { createHints } from './hints.ts';
import { createLanes } from './lanes.ts';
import { SENDERS } from './senders.ts';

const POLL_MS = 1_000; // behind the NOTIFY, which may be missed, and for what comes due by itself
const LOOK_AGAIN_MS = 100; // a storm of hints is looked at ten times a second
const STOP_MS = 3_000;

export interface OutboxPump {
  stop(): Promise<void>;
}

/**
 * Sends what is owed to Slack until stopped, each lane on its own: edits, posts, direct messages. Which message goes
 * next is judged at each turn: requests and a few decisions, then ends, then progress. The pace is kept in the
 * database, by all processes together. Where Slack limits or does not answer, the lane rests and nothing is lost.
 */
export function startOutboxPump(deps: BotDeps, lanes = createLanes(deps.channel)): OutboxPump {
  const stopper = new AbortController();
  const hints = createHints();
  const stopListening = deps.ctx.wakes.listen(OUTBOX_CHANNEL, () => {
    hints.give();
  });
  const running = Promise.all(lanes.map((lane) => runLane(deps, lane, { hints, signal: stopper.signal })));
  return {
    stop: async () => {
      stopper.abort();
      hints.close();
      stopListening();
      await Promise.race([running, wait(STOP_MS, undefined, { ref: false })]);
    },
  };
}

async function runLane(deps: BotDeps, lane: Lane, input: { hints: Hints; signal: AbortSignal }): Promise<void> {
  const { hints, signal } = input;
  const rest = (ms: number) => wait(ms, undefined, { signal }).catch(() => undefined);
  const mayBurst = lane.pace.burst.urgent > 1;
  while (!signal.aborted) {
    const since = hints.ticket();
    const turn = await takeAndSend(deps, lane);
    if (turn.kind === 'send') continue;
    if (turn.kind === 'idle') await hints.wait({ since, atMostMs: POLL_MS });
    else if (!mayBurst)
      await rest(turn.waitMs); // whatever comes meanwhile goes no sooner
    else {
      await rest(Math.min(turn.waitMs, LOOK_AGAIN_MS));
      await hints.wait({ since, atMostMs: Math.max(0, Math.ceil(turn.waitMs) - LOOK_AGAIN_MS) });
    }
  }
}

/** One turn: what it came to. */
async function takeAndSend(deps: BotDeps, lane: Lane): Promise<Turn> {
  try {
    const turn = await takeTurn(deps.ctx, lane);
    if (turn.kind === 'send') await sendOne(deps, lane, turn);
    return turn;
  } catch (error) {
    deps.log.warn({ err: error, lane: lane.name }, 'the outbox could not be read');
    return { kind: 'wait', waitMs: POLL_MS };
  }
}

interface Due {
  entry: OutboxEntry;
  companions: readonly OutboxEntry[];
}

async function sendOne(deps: BotDeps, lane: Lane, due: Due): Promise<void> {
  const entries = [due.entry, ...due.companions];
  const { id, action_id: actionId, batch_id: batchId } = due.entry;
  try {
    const send = () => SENDERS[due.entry.kind](deps, due.entry, due.companions).then(() => true as const);
    const isSent = await withMessageLock(deps.ctx, `${due.entry.kind} ${batchId ?? actionId ?? id}`, send);
    if (isSent === undefined) {
      for (const entry of entries) await settleFailed(deps.ctx, entry, { error: 'being sent', isLaneResting: false });
      return;
    }
    await noteAnswer(deps.ctx, lane);
    for (const entry of entries) await settleSent(deps.ctx, entry);
  } catch (error) {
    const failure = readSlackFailure(error);
    deps.log.warn({ entry: id, action_id: actionId, code: failure.code }, 'Slack did not take a message');
    const isLaneResting = failure.kind === 'limited' || isSlackAway(error);
    if (isLaneResting) {
      await restLane(deps.ctx, lane, { restMs: failure.kind === 'limited' ? failure.retryAfterMs : undefined });
    }
    for (const entry of entries) await settleFailed(deps.ctx, entry, { error: failure.code, isLaneResting });
  }
}
