import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fastify from 'fastify';
import { Registry } from 'prom-client';
import { registerMetrics } from '../../api/plugins/metrics.ts';
import { readSockets, reportSocket } from '../../services/slack/sockets.ts';
import { poll } from '../support/poll.ts';
import type { BotStage } from './bot-stage.ts';
import { openBotStage } from './bot-stage.ts';

let stage: BotStage;
let registry: Registry;
beforeEach(async () => {
  stage = await openBotStage({ hasWorker: false });
  registry = new Registry();
  registerMetrics(fastify(), { ctx: stage.plane.ctx, registry });
});
afterEach(() => stage.stop());

/** What the API would answer, which knows of bots only what stands in the database. */
async function scrape(): Promise<{ connected: string; lost: string; silent: string | undefined }> {
  const text = await registry.metrics();
  const read = (name: string) => text.split('\n').find((line) => line.startsWith(`${name} `));
  const last = (line: string | undefined) => line?.split(' ').at(-1);
  return {
    connected: last(read('medic_slack_sockets{state="connected"}')) ?? '',
    lost: last(read('medic_slack_sockets{state="lost"}')) ?? '',
    silent: last(read('medic_slack_disconnected_seconds')),
  };
}

const report = (id: string, connectedMsAgo: number | null) =>
  reportSocket(stage.plane.ctx, { id, isConnected: connectedMsAgo === 0, connectedMsAgo });

/** As if it had said all it has said so much earlier, and nothing since. */
const age = (id: string, interval: string) =>
  stage.plane.ctx.database.pool.query(
    `update slack_sockets set seen_at = seen_at - $2::interval, started_at = started_at - $2::interval,
       connected_at = connected_at - $2::interval where id = $1`,
    [id, interval],
  );

describe('the sockets to Slack, as the metrics tell them', () => {
  test('are counted while a bot runs: connected, lost, back, and gone when it ends', async () => {
    expect(await scrape()).toEqual({ connected: '0', lost: '0', silent: undefined });
    const bot = await stage.startBot();
    const isConnected = async () => (await readSockets(stage.plane.ctx)).connected === 1;
    await poll('the bot to say that it is connected', isConnected);
    expect(await scrape()).toEqual({ connected: '1', lost: '0', silent: '0' });
    stage.slack.faults.outage(true);
    await poll('the bot to say that it is not', async () => (await readSockets(stage.plane.ctx)).lost === 1);
    const { silent, ...counts } = await scrape();
    expect(counts).toEqual({ connected: '0', lost: '1' });
    expect(Number(silent)).toBeGreaterThan(0);
    stage.slack.faults.outage(false);
    await poll('the bot to be back', isConnected);
    expect((await scrape()).silent).toBe('0');
    await bot.stop();
    expect(await scrape()).toEqual({ connected: '0', lost: '0', silent: undefined });
  });

  test('are no trouble while one bot of two has one', async () => {
    await report('one', 0);
    await report('other', 90_000);
    expect(await scrape()).toEqual({ connected: '1', lost: '1', silent: '0' });
  });

  test('a killed bot is silence since it was heard of last, and a restart does not begin the count anew', async () => {
    await report('killed', 0);
    await age('killed', '5 minutes');
    expect(Number((await scrape()).silent)).toBeCloseTo(300, -1);
    await report('next', null);
    const told = await scrape();
    expect(told).toMatchObject({ connected: '0', lost: '1' });
    expect(Number(told.silent)).toBeCloseTo(300, -1);
    await report('next', 0);
    expect(await scrape()).toEqual({ connected: '1', lost: '0', silent: '0' });
  });

  test('where none ever was, silence counts from the first start', async () => {
    await report('first', null);
    await age('first', '10 minutes');
    await report('second', null);
    expect(Number((await scrape()).silent)).toBeCloseTo(600, -1);
  });

  test('a row is kept for a day', async () => {
    await report('old', 0);
    await age('old', '25 hours');
    expect((await scrape()).silent).toBeUndefined();
    await report('new', 0);
    const { rows } = await stage.plane.ctx.database.pool.query<{ id: string }>('select id from slack_sockets');
    expect(rows).toEqual([{ id: 'new' }]);
  });
});

/** The rules of `promtool check metrics`. */
test('every metric has a help text, our prefix, a base unit, and `total` where it only counts up', async () => {
  for (const { name, help, type } of await registry.getMetricsAsJSON()) {
    expect(help).toMatch(/^[A-Z].+\.$/);
    expect(name).toMatch(/^medic(_[a-z]+)+$/);
    expect(name).not.toMatch(
      /_(ms|milliseconds|minutes|hours|kilobytes|count|sum|bucket)$|_(gauge|counter|histogram)_/,
    );
    expect([name, name.endsWith('_total')]).toEqual([name, String(type) === 'counter']);
  }
});
