import { afterEach, expect, test } from '@jest/globals';
import { createBot } from '../../bot/bot.ts';
import type { BotStage } from './bot-stage.ts';
import { CHANNEL, openBotStage, TOKENS, waitForAnswer } from './bot-stage.ts';

let stage: BotStage;
afterEach(() => stage.stop());

const help = { user: 'U0ANA', channel: CHANNEL, command: '/remediate', text: 'help' };

test('the bot answers again after Slack renews its connection', async () => {
  stage = await openBotStage({ hasWorker: false });
  const bot = await stage.startBot();
  stage.slack.faults.disconnectSockets();
  await stage.slack.waitFor((slack) => slack.connections() > 0, { what: 'a new connection' });
  expect(await stage.slack.slashCommand(help)).toMatchObject({ acknowledged: true });
  await waitForAnswer(stage.slack, 'U0ANA', /This is what I understand/);
  expect(bot.isConnected()).toBe(true);
});

test('the bot starts while Slack is away, and answers once it is back', async () => {
  stage = await openBotStage({ hasWorker: false });
  const { slack, plane } = stage;
  slack.faults.outage(true);
  const bot = createBot({ ctx: plane.ctx, slack: { ...TOKENS, apiUrl: slack.apiUrl, channel: CHANNEL } });
  try {
    bot.start();
    await slack.waitFor((ws) =>
      ws.calls().some(({ method, status }) => method === 'apps.connections.open' && status === 503),
    );
    slack.faults.outage(false);
    await slack.waitFor((ws) => ws.connections() > 0, { timeoutMs: 10_000, what: 'a connection' });
    expect(await slack.slashCommand(help)).toMatchObject({ acknowledged: true });
    await waitForAnswer(slack, 'U0ANA', /This is what I understand/);
  } finally {
    await bot.stop();
  }
  await slack.waitFor((ws) => ws.connections() === 0, { what: 'the socket to close' });
});
