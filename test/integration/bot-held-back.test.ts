import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StoredMessage } from '../../sandbox/slack/workspace.ts';
import { exchangeHeartbeat } from '../../services/agents/exchange-heartbeat.ts';
import type { BotStage } from './bot-stage.ts';
import { addServer, CHANNEL, firstBlockId, openBotStage, waitForAnswer, waitUntilSettled } from './bot-stage.ts';
import { poll } from '../support/poll.ts';

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

const say = (user: string, text: string, triggerId?: string) =>
  stage.slack.slashCommand({
    ...{ user, channel: CHANNEL, command: '/remediate', text },
    ...(triggerId === undefined ? {} : { triggerId }),
  });
const hear = (user: string, pattern: RegExp): Promise<string> => waitForAnswer(stage.slack, user, pattern);
const newsOf = (blockId: string): StoredMessage[] =>
  stage.slack.messages(CHANNEL).filter((message) => firstBlockId(message) === blockId);

function holdBackAfter(failures: number): void {
  const { config } = stage.plane;
  config.limits = { ...config.limits, holdBacks: failures === 0 ? [] : [{ playbook: '*', failures }] };
}

/** The id of the newest open dead letter of a server. */
async function newestDeadLetter(serverId: string, count: number): Promise<string> {
  return poll(`${count} dead letters`, async () => {
    const rows = await stage.plane.ctx.database.kysely
      .selectFrom('actions')
      .select('id')
      .where('server_id', '=', serverId)
      .where('dead_letter', '=', 'open')
      .orderBy('completed_at', 'desc')
      .execute();
    return rows.length === count && rows[0]?.id.slice(0, 8);
  });
}

async function countOpen(): Promise<number> {
  const query = stage.plane.ctx.database.kysely.selectFrom('actions').select('id');
  return (await query.where('status', 'in', ['pending', 'approved', 'executing']).execute()).length;
}

describe('a playbook that keeps failing', () => {
  test('is told once in the channel, refused with what to do, and shown by `queue`', async () => {
    holdBackAfter(2);
    const server = await addServer(stage, false);
    for (let failures = 1; failures <= 2; failures++) {
      await say('U0ANA', `restart-service ${server.name} service=nginx`);
      await server.run({ status: 'failed', exit_code: 1 });
      await newestDeadLetter(server.id, failures);
    }
    const id = await newestDeadLetter(server.id, 2);
    await stage.slack.waitFor(() => newsOf('medic_held_back_news').length === 1, {
      ...{ timeoutMs: 15_000, what: 'the news' },
    });
    await say('U0ANA', `restart-service ${server.name} service=nginx`);
    expect(await hear('U0ANA', /is held back on/)).toContain(`See why ${id} failed, then replay or dismiss it`);
    await say('U0CID', 'queue');
    expect(await hear('U0CID', /of \d+ wait/)).toContain(
      `• restart-service on ${server.name} is held back: it failed 2 times in a row; replay or dismiss ${id}`,
    );
    await waitUntilSettled(stage);
    const [news, ...more] = newsOf('medic_held_back_news');
    expect(more).toEqual([]);
    expect(news?.text).toBe(
      `restart-service is held back on ${server.name}: it has failed there 2 times in a row, so nothing of it starts there.`,
    );
    expect(JSON.stringify(news?.blocks)).toContain(`/remediate replay ${id}, or dismiss ${id} and a reason`);
    await say('U0ANA', `dismiss ${id} the unit is masked`);
    await hear('U0ANA', /is dismissed/);
    await say('U0ANA', `restart-service ${server.name} service=nginx`);
    await server.run();
    await poll('its end', async () => (await countOpen()) === 0);
  }, 40_000);
});

describe('`queue`', () => {
  test('lists what an agent has and what waits, in a table and as lines', async () => {
    holdBackAfter(0);
    await say('U0ANA', 'queue');
    await hear('U0ANA', /Nothing waits, and nothing executes/);
    const paused = await addServer(stage, true);
    await say('U0ANA', `restart-service ${paused.name} service=nginx`);
    await poll('the request', async () => (await countOpen()) === 1);
    await say('U0ANA', 'queue');
    const told = await hear('U0ANA', /1 of 1000000 wait, 0 of 1000000 execute/);
    expect(told).toMatch(
      new RegExp(
        `• restart-service on ${paused.name} \\(\\w{8}\\), pending since .* UTC: It waits for people: 0 of 1 approved it`,
      ),
    );
    const { blocks } = stage.slack.ephemerals('U0ANA').at(-1) ?? {};
    expect(blocks?.map(({ type }) => type)).toEqual(['section', 'table']);
  });
});

describe('many dead letters', () => {
  test('are replayed by a filter with a limit; the same command twice replays no more', async () => {
    const server = await addServer(stage, false);
    for (let count = 1; count <= 3; count++) {
      await say('U0ANA', `check-service ${server.name} service=nginx`);
      await server.run({ status: 'failed', exit_code: 3 });
      await newestDeadLetter(server.id, count);
    }
    await say('U0ANA', 'replay-many');
    await hear('U0ANA', /A replay of everything is not offered/);
    await say('U0ANA', `replay-many server=${server.name} limit=ten`);
    await hear('U0ANA', /limit must be a whole number/);
    await say('U0CID', `replay-many server=${server.name}`);
    await hear('U0CID', /role/);
    for (let i = 0; i < 2; i++) await say('U0ANA', `replay-many server=${server.name} limit=2 once more`, 'the-same');
    expect(await hear('U0ANA', /2 of 2 dead letters are asked for again/)).toMatch(
      /• \w{8}, as \w{8}: check-service on/,
    );
    await stage.slack.waitFor(
      () => stage.slack.ephemerals('U0ANA').filter(({ text }) => /2 of 2 dead letters/.test(text)).length === 2,
      { what: 'both to be answered' },
    );
    await newestDeadLetter(server.id, 1);
  }, 40_000);
});

describe('a damaged journal', () => {
  test('is told once in the channel, and stands in the list of servers', async () => {
    const server = await addServer(stage, false);
    const journal_damage = { found_at: '2026-01-31T12:00:00.000Z', lines: 1 };
    for (const started of [1_000, 2_000]) {
      const session = { started_at: new Date(Date.now() + started).toISOString(), beat: 1 };
      const body = {
        ...{ protocol: 1, session, agent_version: '1', boot_id: 'boot', uptime_s: 1, load: 0, wait_s: 0 },
        ...{ running: [], results: [], journal_damage },
      };
      const signal = new AbortController().signal;
      await exchangeHeartbeat(stage.plane.ctx, { serverId: server.id, signal, body });
    }
    await stage.slack.waitFor(() => newsOf('medic_journal_news').length > 0, {
      ...{ timeoutMs: 15_000, what: 'the news' },
    });
    await waitUntilSettled(stage);
    const [news, ...more] = newsOf('medic_journal_news');
    expect(more).toEqual([]);
    expect(news?.text).toBe(`The agent on ${server.name} found its journal damaged: 1 line cannot be read.`);
    await say('U0ANA', 'servers');
    expect(await hear('U0ANA', /journal damaged/)).toContain(
      `${server.name}: online, journal damaged on 2026-01-31 12:00 UTC`,
    );
  }, 30_000);
});
