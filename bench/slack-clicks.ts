import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotStage } from '../test/integration/bot-stage.ts';
import { actionIdOf, cardsOf, CHANNEL, statusOf } from '../test/integration/bot-stage.ts';
import type { StagedAction } from './slack-stage.ts';
import { isFull, percentile, report, stageCards, withSlackStage } from './slack-stage.ts';

/*
 * How long Slack waits for the acknowledgement of a click, idle and under a storm (bench/slack-load.ts), as a ratio of
 * one run; and how long a person waits to see what came of an approval:
 * `node bench/slack-clicks.ts`; `--full` lets the storm last a minute, else the same density is shorter.
 */
const CLICKS = isFull ? 600 : 150;
const CLICK_EVERY_MS = 100;
const APPROVALS = isFull ? 40 : 15;
const SHORT_PAUSES = ['--min-semi-space-size=16', '--max-semi-space-size=32']; // as bin/medic starts every process
const APPROVE_EVERY_MS = 1_600; // slower than the pace of edits: nobody queues

await withSlackStage({ hasWorker: false }, async (stage) => {
  const { ctx, taskQueue } = stage.plane;
  const rest = await start('slack-load.ts', [ctx.database.url, taskQueue]);
  const staged = await stageCards(stage, APPROVALS + 1);
  const bot = await start('slack-bot.ts', [ctx.database.url, taskQueue, stage.slack.apiUrl]);
  await stage.slack.waitFor((workspace) => workspace.connections() > 0, { what: 'the bot to connect' });
  const [still, ...waiting] = staged;
  if (still === undefined) throw new Error('no card was staged');
  const outcomes = await measureOutcomes(stage, waiting);
  console.log(`approve click → card says so: p50 ${percentile(outcomes, 0.5).toFixed(0)} ms`);
  report('approve click → card says so, p95 in s', percentile(outcomes, 0.95) / 1000, 1);
  await measureAcks(stage, still, 20); // warm: nobody's first click is measured
  const idle = await measureAcks(stage, still, CLICKS);
  rest.send('storm');
  await sleep(2_000);
  const stormy = await measureAcks(stage, still, CLICKS);
  const asked = await stopRest(rest);
  bot.send('stop');
  await once(bot, 'exit');
  const [idleMs, stormyMs] = [percentile(idle, 0.99), percentile(stormy, 0.99)];
  console.log(
    `storm: ${asked} requests in ${((CLICKS * CLICK_EVERY_MS) / 1000 + 2).toFixed(0)} s; idle p99 ${idleMs.toFixed(1)} ms`,
  );
  report('click → acknowledged, p99 in s', idleMs / 1000, 0.3);
  report('click → acknowledged under the storm, p99 in s', stormyMs / 1000, 0.3);
  report('p99 under the storm ÷ p99 idle', stormyMs / idleMs, 2);
});

/** A part of Medic in a process of its own, as it may be in production. */
async function start(file: string, args: string[]): Promise<ChildProcess> {
  const part = fork(join(import.meta.dirname, file), args, { execArgv: SHORT_PAUSES });
  await once(part, 'message');
  return part;
}

async function stopRest(rest: ChildProcess): Promise<string> {
  rest.send('stop');
  const [asked] = (await once(rest, 'message')) as [number];
  await once(rest, 'exit');
  return String(asked);
}

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
