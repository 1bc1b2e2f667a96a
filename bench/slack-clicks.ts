import { setTimeout as sleep } from 'node:timers/promises';
import { requestAction } from '../services/actions/request-action.ts';
import type { BotStage } from '../test/integration/bot-stage.ts';
import { actionIdOf, cardsOf, CHANNEL, statusOf } from '../test/integration/bot-stage.ts';
import { createScriptedAgent } from '../test/support/scripted-agent.ts';
import { insertTestServer } from '../test/support/servers.ts';
import type { StagedAction } from './slack-stage.ts';
import { isFull, percentile, report, stageCards, withSlackStage } from './slack-stage.ts';

/*
 * How long Slack waits for the acknowledgement of a click, idle and under a storm (500 requests a minute, 1,000
 * simulated agents), as a ratio of one run; and how long a person waits to see what came of an approval:
 * `node bench/slack-clicks.ts`; `--full` lets the storm last a minute, else the same density is shorter.
 */
const REQUESTS_A_MINUTE = 500;
const AGENTS = 1_000;
const CLICKS = isFull ? 600 : 150;
const CLICK_EVERY_MS = 100;
const APPROVALS = isFull ? 40 : 15;
const APPROVE_EVERY_MS = 1_600; // slower than the pace of edits: nobody queues

await withSlackStage(async (stage) => {
  const staged = await stageCards(stage, APPROVALS + 1);
  await stage.startBot();
  const [still, ...waiting] = staged;
  if (still === undefined) return;
  const outcomes = await measureOutcomes(stage, waiting);
  console.log(`approve click → card says so: p50 ${percentile(outcomes, 0.5).toFixed(0)} ms`);
  report('approve click → card says so, p95 in s', percentile(outcomes, 0.95) / 1000, 1);
  await measureAcks(stage, still, 20); // warm: nobody's first click is measured
  const idle = await measureAcks(stage, still, CLICKS);
  const storm = startStorm(stage);
  await sleep(2_000);
  const stormy = await measureAcks(stage, still, CLICKS);
  const asked = await storm.stop();
  const [idleMs, stormyMs] = [percentile(idle, 0.99), percentile(stormy, 0.99)];
  console.log(`storm: ${asked} requests, ${AGENTS} agents; idle p99 ${idleMs.toFixed(1)} ms`);
  report('click → acknowledged, p99 in s', idleMs / 1000, 0.3);
  report('click → acknowledged under the storm, p99 in s', stormyMs / 1000, 0.3);
  report('p99 under the storm ÷ p99 idle', stormyMs / idleMs, 2);
});

/** Of clicks on Details: each looks who clicked, reads the action and answers. */
async function measureAcks(stage: BotStage, { ts }: StagedAction, count: number): Promise<number[]> {
  const clicks = Array.from({ length: count }, async (_, index) => {
    await sleep(index * CLICK_EVERY_MS);
    const startedAt = performance.now();
    const outcome = await stage.slack.click({ user: 'U0BOB', channel: CHANNEL, ts, actionId: 'medic_details' });
    if (!outcome.acknowledged) throw new Error(`a click was not acknowledged: ${String(outcome.error)}`);
    return performance.now() - startedAt;
  });
  return Promise.all(clicks);
}

async function measureOutcomes(stage: BotStage, staged: readonly StagedAction[]): Promise<number[]> {
  const taken: number[] = [];
  for (const { action, ts } of staged) {
    const next = sleep(APPROVE_EVERY_MS);
    const startedAt = performance.now();
    await stage.slack.click({ user: 'U0BOB', channel: CHANNEL, ts, actionId: 'medic_approve' });
    const isShown = () =>
      cardsOf(stage.slack).some((card) => actionIdOf(card) === action.id && statusOf(card) === 'approved');
    await stage.slack.waitFor(isShown, { timeoutMs: 20_000, what: 'the card to say approved' });
    taken.push(performance.now() - startedAt);
    await next;
  }
  return taken;
}

/** Requests, and agents that hold their heartbeats open and call again, until stopped. */
function startStorm(stage: BotStage): { stop(): Promise<number> } {
  const { ctx } = stage.plane;
  const stopper = new AbortController();
  const { signal } = stopper;
  let asked = 0;
  const ask = async (): Promise<void> => {
    const servers = await Promise.all(Array.from({ length: 20 }, () => insertTestServer(ctx)));
    while (!signal.aborted) {
      const server = servers[asked++ % servers.length]?.name ?? '';
      const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
      const next = sleep(60_000 / REQUESTS_A_MINUTE, undefined, { signal }).catch(() => undefined);
      await requestAction(ctx, stage.plane.asker('ana'), input);
      await next;
    }
  };
  const beat = async (index: number): Promise<void> => {
    await sleep((index / AGENTS) * 25_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const { id } = await insertTestServer(ctx);
    const agent = createScriptedAgent(ctx, id);
    while (!signal.aborted) {
      await agent.beatOnce();
      await sleep(25_000, undefined, { signal }).catch(() => undefined); // as long as a heartbeat is held
    }
  };
  const running = Promise.all([ask(), ...Array.from({ length: AGENTS }, (_, index) => beat(index))]);
  return {
    stop: async () => {
      stopper.abort();
      await running;
      return asked;
    },
  };
}
