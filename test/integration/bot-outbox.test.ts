import { afterEach, describe, expect, test } from '@jest/globals';
import type { Principal } from '../../domain/principal.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { startPump } from '../../services/pump.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import type { BotStage } from './bot-stage.ts';
import {
  actionIdOf,
  addServer,
  cardsOf,
  CHANNEL,
  noticesOf,
  openBotStage,
  statusOf,
  waitForAnswer,
  waitForCard,
  waitUntilSettled,
} from './bot-stage.ts';

let stage: BotStage;
afterEach(() => stage.stop());

let asked = 0;

/** Of two playbooks by turns, so that no batch comes of it. */
async function ask(server: string): Promise<string> {
  const playbook = asked++ % 2 === 0 ? 'restart-service' : 'check-service';
  const input = { server, playbook, params: { service: 'nginx' } };
  return (await requestAction(stage.plane.ctx, stage.plane.asker('ana'), input)).id;
}

const reject = (actionId: string) =>
  decideAction(stage.plane.ctx, stage.plane.asker('bob'), { actionId, kind: 'reject', reason: 'no' });

/** The outbox is empty: nothing more will come. */
describe('cards', () => {
  test('come once each after Slack limited the bot, no sooner than it said', async () => {
    stage = await openBotStage();
    stage.slack.faults.rateLimitNext('chat.postMessage', 1, 2);
    const startedAt = Date.now();
    await stage.startBot();
    const server = await addServer(stage, true);
    await ask(server.name);
    await waitForCard(stage.slack, server.name, 'pending');
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_900);
    await waitUntilSettled(stage);
    expect(cardsOf(stage.slack)).toHaveLength(1);
  });

  test('show the end that came while Slack was away', async () => {
    stage = await openBotStage();
    await stage.startBot();
    const server = await addServer(stage, true);
    const id = await ask(server.name);
    await waitForCard(stage.slack, server.name, 'pending');
    await stage.plane.ctx.slackDirectory?.person('U0BOB'); // known for a minute; later nobody would be believed
    stage.slack.faults.outage(true);
    await reject(id);
    stage.slack.faults.outage(false);
    const card = await waitForCard(stage.slack, server.name, 'rejected');
    expect(card.edits).toBeGreaterThanOrEqual(1);
    expect(cardsOf(stage.slack)).toHaveLength(1);
  });

  test('stay one over a restart, and are edited by the next process', async () => {
    stage = await openBotStage();
    const first = await stage.startBot();
    const server = await addServer(stage, true);
    const id = await ask(server.name);
    const card = await waitForCard(stage.slack, server.name, 'pending');
    await first.stop();
    await reject(id);
    await stage.startBot();
    expect((await waitForCard(stage.slack, server.name, 'rejected')).ts).toBe(card.ts);
    await waitUntilSettled(stage);
    expect(cardsOf(stage.slack)).toHaveLength(1);
  });

  test('stay one with two bots, and whatever was asked has its card', async () => {
    stage = await openBotStage();
    await stage.startBot();
    await stage.startBot();
    const server = await addServer(stage, true);
    const ids = await Promise.all([1, 2, 3].map(() => ask(server.name)));
    await Promise.all(ids.map(reject));
    await waitUntilSettled(stage);
    expect(cardsOf(stage.slack).map(actionIdOf).toSorted()).toEqual(ids.toSorted());
    expect(cardsOf(stage.slack).map(statusOf)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  test('whose post got no answer are found again by their metadata', async () => {
    stage = await openBotStage();
    stage.slack.faults.dropAnswer('chat.postMessage', 1);
    await stage.startBot();
    const server = await addServer(stage, true);
    const id = await ask(server.name);
    await waitForCard(stage.slack, server.name, 'pending');
    await reject(id);
    await waitForCard(stage.slack, server.name, 'rejected');
    await waitUntilSettled(stage);
    expect(cardsOf(stage.slack)).toHaveLength(1);
  });

  test('posted twice for want of the history scope become one at the next click', async () => {
    stage = await openBotStage({ workspace: { scopes: ['commands', 'chat:write', 'users:read'] } });
    stage.slack.faults.dropAnswer('chat.postMessage', 1);
    await stage.startBot();
    const server = await addServer(stage, true);
    await ask(server.name);
    const [first] = await stage.slack.waitFor((slack) => cardsOf(slack).length === 2 && cardsOf(slack), {
      timeoutMs: 10_000,
    });
    await waitUntilSettled(stage); // the second is on the record, so the first is the one too many
    await stage.slack.click({ user: 'U0BOB', channel: CHANNEL, ts: first?.ts ?? '', actionId: 'medic_approve' });
    await waitForAnswer(stage.slack, 'U0BOB', /You approved/);
    await stage.slack.waitFor((slack) => cardsOf(slack).length === 1, { what: 'one card' });
  });

  test('that somebody deleted are posted anew, once', async () => {
    stage = await openBotStage();
    await stage.startBot();
    const server = await addServer(stage, true);
    const id = await ask(server.name);
    const card = await waitForCard(stage.slack, server.name, 'pending');
    await fetch(`${stage.slack.apiUrl}chat.delete`, {
      method: 'POST',
      headers: { authorization: 'Bearer xoxb-test', 'content-type': 'application/json' },
      body: JSON.stringify({ channel: CHANNEL, ts: card.ts }),
    });
    await reject(id);
    expect((await waitForCard(stage.slack, server.name, 'rejected')).ts).not.toBe(card.ts);
    await waitUntilSettled(stage);
    expect(cardsOf(stage.slack)).toHaveLength(1);
  });
});

test('a queue of new cards goes out one a second, and an edit does not wait for it', async () => {
  stage = await openBotStage({ workspace: { enforceRateLimits: true } });
  await stage.startBot();
  const server = await addServer(stage, true);
  const id = await ask(server.name);
  await waitForCard(stage.slack, server.name, 'pending');
  for (let count = 0; count < 6; count++) await ask(server.name);
  await stage.slack.waitFor((slack) => cardsOf(slack).length >= 3, { timeoutMs: 10_000 });
  await reject(id);
  await waitForCard(stage.slack, server.name, 'rejected');
  expect(cardsOf(stage.slack).length).toBeLessThan(7);
  await waitUntilSettled(stage);
  const posts = stage.slack
    .calls()
    .filter(({ method, args }) => method === 'chat.postMessage' && args['channel'] === CHANNEL);
  expect(posts.map(({ status }) => status)).toEqual(Array(7).fill(200));
  const spanMs = (posts.at(-1)?.at ?? 0) - (posts[0]?.at ?? 0);
  expect(spanMs).toBeGreaterThan(6 * 1_000 - 250); // calls are seen as they arrive, not as they are sent
});

test('a notice whose post got no answer is not sent twice', async () => {
  stage = await openBotStage();
  await stage.startBot();
  const server = await addServer(stage, false);
  await ask(server.name);
  await stage.slack.waitFor((slack) => cardsOf(slack)[0]);
  await waitUntilSettled(stage);
  stage.slack.faults.dropAnswer('chat.postMessage', 1);
  await server.run({ status: 'failed', exit_code: 1 });
  await waitForCard(stage.slack, server.name, 'failed');
  await stage.slack.waitFor((slack) => noticesOf(slack)[0], { timeoutMs: 10_000 });
  await waitUntilSettled(stage);
  expect(noticesOf(stage.slack)).toHaveLength(1);
});

test('the requester of what a pause cancels is told, and one whom Slack does not know holds up nobody', async () => {
  stage = await openBotStage();
  const { ctx, config } = stage.plane;
  const stranger: Principal = { name: 'eve', roles: ['operator'], slackUserId: 'U0GONE', groups: [] };
  config.principals = new Map([...config.principals, ['eve', stranger]]);
  const server = await addServer(stage, false);
  const input = { server: server.name, playbook: 'restart-service', params: { service: 'nginx' } };
  await requestAction(ctx, { principal: stranger, roles: stranger.roles, via: 'api' }, input);
  await ask(server.name);
  await pauseServer(ctx, stage.plane.asker('bob'), { server: server.name, reason: 'kernel update' });
  await stage.startBot();
  await waitUntilSettled(stage);
  const told = stage.slack.calls().filter(({ args }) => JSON.stringify(args).includes('will not run'));
  const outcomes = new Map(told.map(({ args, answer }) => [args['channel'], answer['error'] ?? 'ok']));
  expect(outcomes).toEqual(
    new Map([
      ['U0ANA', 'ok'],
      ['U0GONE', 'channel_not_found'],
    ]),
  );
  expect(told).toHaveLength(2);
});

test('whoever asked hears privately how it ended, once, and a timed pause tells its end', async () => {
  stage = await openBotStage();
  await stage.startBot();
  const { ctx } = stage.plane;
  const server = await addServer(stage, false);
  await ask(server.name);
  await server.run({ status: 'failed', exit_code: 1 });
  await waitForCard(stage.slack, server.name, 'failed');
  await pauseServer(ctx, stage.plane.asker('bob'), {
    server: server.name,
    reason: 'kernel update',
    until: new Date(Date.now() + 20),
  });
  const pump = startPump(ctx, { periodMs: 20 });
  const toldTo = (user: string): string[] =>
    stage.slack.calls().flatMap(({ args }) => (args['channel'] === user ? [String(args['text'])] : []));
  await stage.slack.waitFor(() => toldTo('U0BOB').length > 0, { timeoutMs: 15_000, what: 'bob to be told' });
  await pump.stop();
  await waitUntilSettled(stage);
  expect(toldTo('U0BOB')).toEqual([expect.stringMatching(/Your pause of .* \(kernel update\) has ended by itself/)]);
  expect(toldTo('U0ANA')).toEqual([expect.stringMatching(/^You asked for this: .* has failed.*exit code 1/)]);
});

describe('direct messages whose sending got no answer', () => {
  const rejections = (): string[] =>
    stage.slack.directMessages('U0ANA').flatMap(({ text }) => [...text.matchAll(/on \S+ was rejected/g)].map(String));

  async function rejectTwo(scopes?: string[]): Promise<void> {
    stage = await openBotStage(scopes === undefined ? {} : { workspace: { scopes } });
    await stage.startBot();
    const servers = [await addServer(stage, true), await addServer(stage, true)];
    const ids = await Promise.all(servers.map(({ name }) => ask(name)));
    await stage.slack.waitFor((slack) => cardsOf(slack).length === 2, { timeoutMs: 10_000 });
    await waitUntilSettled(stage);
    stage.slack.faults.dropAnswer('chat.postMessage', 1);
    await Promise.all(ids.map(reject));
    for (const { name } of servers) await waitForCard(stage.slack, name, 'rejected');
    await waitUntilSettled(stage);
  }

  test('are found again, so that each end is told once', async () => {
    await rejectTwo();
    expect(rejections()).toHaveLength(2);
  });

  test('are sent again where the app may not look: rather twice than never', async () => {
    await rejectTwo(['commands', 'chat:write', 'users:read']);
    expect(new Set(rejections()).size).toBe(2);
    expect(rejections().length).toBeGreaterThan(2);
  });
});

test('a click while no worker runs is recorded, told so in time, and counts once one does', async () => {
  stage = await openBotStage({ hasWorker: false });
  await stage.startBot();
  const { slack, plane } = stage;
  const server = await addServer(stage, true);
  await ask(server.name);
  const card = await waitForCard(slack, server.name, 'pending');
  const outcome = await slack.click({ user: 'U0BOB', channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' });
  expect(outcome).toMatchObject({ acknowledged: true });
  await waitForAnswer(slack, 'U0BOB', /approval is recorded/);
  await plane.startWorker();
  const pump = startPump(plane.ctx);
  try {
    await waitForCard(slack, server.name, 'approved');
  } finally {
    await pump.stop();
  }
});
