import { setTimeout as sleep } from 'node:timers/promises';
import { readOutboxBacklog } from '../db/repositories/outbox.repository.ts';
import { isEnded } from '../domain/lifecycle.ts';
import { decideAction } from '../services/actions/decide-action.ts';
import type { BotStage } from '../test/integration/bot-stage.ts';
import { actionIdOf, cardsOf, CHANNEL, statusOf } from '../test/integration/bot-stage.ts';
import { createResult, createScriptedAgent } from '../test/support/scripted-agent.ts';
import type { StagedAction } from './slack-stage.ts';
import { isFull, report, stageCards, withSlackStage } from './slack-stage.ts';

/*
 * A storm of 1,000 state changes a minute in one channel (approved, running, a step further, ended), against a Slack
 * that keeps its limits: how fast we post and edit, whether each end is shown, and when the last of them:
 * `node bench/slack-storm.ts`; `--full` takes 250 cards and a minute, else the same density over fewer.
 */
const CHANGES_A_MINUTE = 1_000;
const CHANGES_EACH = 4;
const CARDS = isFull ? 250 : 40;
const EDIT_PACE_S = 60 / 45;
const GRACE_S = 10;
const FAILED_EACH = 10; // every tenth fails, and has a notice as well

await withSlackStage({ hasWorker: true }, async (stage) => {
  const staged = await stageCards(stage, CARDS);
  await stage.startBot();
  const startedAt = Date.now();
  const everyMs = (60_000 * CHANGES_EACH) / CHANGES_A_MINUTE;
  const lives = staged.map(async (one, index) => {
    await sleep(index * everyMs);
    await live(stage, one, index % FAILED_EACH === 0);
  });
  await Promise.all(lives);
  const stormS = (Date.now() - startedAt) / 1000;
  console.log(`storm: ${CARDS * CHANGES_EACH} state changes of ${CARDS} cards in ${stormS.toFixed(1)} s`);
  while ((await readOutboxBacklog(stage.plane.ctx.database)).count > 0) await sleep(100);
  await tell(stage, startedAt);
});

async function live(stage: BotStage, { action, server }: StagedAction, isFailing: boolean): Promise<void> {
  const { ctx } = stage.plane;
  const agent = createScriptedAgent(ctx, server.id);
  await decideAction(ctx, stage.plane.asker('bob'), { actionId: action.id, kind: 'approve' });
  const command = await agent.fetchCommand();
  await agent.beatOnce({ running: [command.command_id], step: 1, steps: 3 });
  await agent.beatOnce({ running: [command.command_id], step: 2, steps: 3 });
  const failure = { status: 'failed', exit_code: 1, stderr: 'no', stderr_bytes: 2 };
  await agent.beatOnce({ results: [createResult(command, isFailing ? failure : {})] });
}

async function tell(stage: BotStage, startedAt: number): Promise<void> {
  const calls = stage.slack.calls().filter(({ at }) => at >= startedAt);
  const done = (method: string) => calls.filter((call) => call.method === method && call.status === 200);
  const posts = done('chat.postMessage').filter(({ args }) => args['channel'] === CHANNEL);
  const updates = done('chat.update');
  const { rows } = await stage.plane.ctx.database.pool.query<{ id: string; status: 'completed' }>(
    'select id, status from actions',
  );
  const ends = rows.filter(({ status }) => isEnded(status));
  const shown = new Map(cardsOf(stage.slack).map((card) => [actionIdOf(card), statusOf(card)]));
  const missing = ends.filter(({ id, status }) => shown.get(id) !== status).length;
  const lastS = (Math.max(0, ...updates.map(({ at }) => at)) - startedAt) / 1000;
  report(
    'posts in any second of the channel',
    mostIn(
      posts.map(({ at }) => at),
      1_000,
    ),
    1,
  );
  report(
    'updates in any minute',
    mostIn(
      updates.map(({ at }) => at),
      60_000,
    ),
    45,
  );
  report('actions without an end', rows.length - ends.length, 0);
  report('end states not shown', missing, 0);
  console.log(`end states shown ÷ end states: ${((ends.length - missing) / ends.length).toFixed(3)}`);
  console.log(`edits sent ÷ state changes: ${(updates.length / (CARDS * CHANGES_EACH)).toFixed(3)}`);
  report('last shown ÷ (messages × pace + 10 s)', lastS / (CARDS * EDIT_PACE_S + GRACE_S), 1);
  const limited = calls.filter(({ status }) => status === 429);
  for (const { method, args } of limited) console.log(`limited: ${method} to ${String(args['channel'])}`);
  report('calls that Slack limited', limited.length, 0);
}

/** The most of them in any window of that length; a message and the next a whole window later do not share one. */
function mostIn(times: readonly number[], windowMs: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
}
