import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BotStage } from '../integration/bot-stage.ts';
import {
  addServer,
  CHANNEL,
  openBotStage,
  waitForAnswer,
  waitForCard,
  waitUntilSettled,
} from '../integration/bot-stage.ts';
import { countOf, repeat, STRESS_TIMEOUT_MS } from '../support/stress.ts';

const REPLAYS = countOf({ usual: 1_000, stress: 100_000 });
const AT_ONCE = 10;

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

/** All that may be changed by a click, a command or a form: rows and the audit, not what is told to people. */
async function readState(): Promise<unknown> {
  const { pool } = stage.plane.ctx.database;
  const tables = ['actions', 'decisions', 'commands', 'servers', 'audit_events', 'action_batches'];
  return Promise.all(tables.map(async (table) => (await pool.query(`select * from ${table} order by 1`)).rows));
}

/** Commands, clicks and a form of people who may: approved, rejected, paused, looked at. */
async function playTraffic(): Promise<void> {
  const { slack } = stage;
  const say = (user: string, text: string) =>
    slack.slashCommand({ user, channel: CHANNEL, command: '/remediate', text });
  const approved = await addServer(stage, true);
  await say('U0ANA', `restart-service ${approved.name} service=nginx`);
  const card = await waitForCard(slack, approved.name, 'pending');
  await slack.click({ user: 'U0BOB', channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' });
  await waitForAnswer(slack, 'U0BOB', /You approved/);
  await approved.run();
  const ended = await waitForCard(slack, approved.name, 'completed');
  await slack.click({ user: 'U0BOB', channel: CHANNEL, ts: ended.ts, actionId: 'medic_details' });

  const rejected = await addServer(stage, true);
  await say('U0ANA', `restart-service ${rejected.name} service=nginx`);
  const other = await waitForCard(slack, rejected.name, 'pending');
  await slack.click({ user: 'U0CID', channel: CHANNEL, ts: other.ts, actionId: 'medic_reject' });
  const view = await slack.waitFor((ws) => ws.openViews('U0CID')[0], { what: 'the form' });
  const values = { reason: { reason: { type: 'plain_text_input', value: 'not today' } } };
  await slack.submitView({ user: 'U0CID', viewId: view.id, values });
  await waitForCard(slack, rejected.name, 'rejected');
  for (const text of ['help', 'pending', 'servers', 'history']) await say('U0ANA', text);
}

test(
  `${REPLAYS} replays of captured traffic change nothing`,
  async () => {
    await playTraffic();
    await waitUntilSettled(stage, STRESS_TIMEOUT_MS);
    const captured = stage.slack.delivered();
    expect(captured.length).toBeGreaterThanOrEqual(10);
    const before = await readState();
    await repeat({ count: REPLAYS, atOnce: AT_ONCE }, async (index) => {
      const delivery = captured[index % captured.length];
      if (delivery === undefined) throw new Error('nothing was captured');
      expect(await stage.slack.deliver(delivery)).toMatchObject({ acknowledged: true });
    });
    await waitUntilSettled(stage, STRESS_TIMEOUT_MS);
    expect(await readState()).toEqual(before);
  },
  STRESS_TIMEOUT_MS,
);
