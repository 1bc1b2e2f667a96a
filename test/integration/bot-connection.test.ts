import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createBot } from '../../bot/bot.ts';
import { createSocketConnection } from '../../bot/transport/socket-connection.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import { poll } from '../support/poll.ts';
import type { BotStage } from './bot-stage.ts';
import { CHANNEL, openBotStage, TOKENS, waitForAnswer } from './bot-stage.ts';

let stage: BotStage | undefined;
afterEach(async () => {
  await stage?.stop();
  stage = undefined;
});

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

test('a lost socket is counted, and told once when it was away for a minute', async () => {
  const slack = await startSlackWorkspace({ port: 0, ...TOKENS });
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[0]) });
  const connection = createSocketConnection({ appToken: TOKENS.appToken, apiUrl: slack.apiUrl, log, lostMs: 400 });
  const said = (level: number) => lines.filter((line) => line.level === level).map(({ msg }) => msg);
  try {
    expect(connection.connectedMsAgo()).toBeNull();
    connection.start();
    await poll('a connection', () => connection.isConnected(), { timeoutMs: 10_000 });
    expect(connection.connectedMsAgo()).toBe(0);
    slack.faults.outage(true);
    const failures = () => slack.calls().filter(({ status }) => status === 503).length;
    await slack.waitFor(() => failures() >= 3, { what: 'three attempts in vain' });
    expect(said(50)).toEqual(['no socket to Slack for a minute: clicks and commands do not arrive']);
    expect(said(40)).toHaveLength(1);
    expect(connection.connectedMsAgo()).toBeGreaterThan(400);
    slack.faults.outage(false);
    await poll('a connection', () => connection.isConnected(), { timeoutMs: 10_000 });
    expect(connection.connectedMsAgo()).toBe(0);
    expect(said(30)).toEqual(['the socket to Slack is back']);
  } finally {
    await connection.stop();
    await slack.stop();
  }
});
