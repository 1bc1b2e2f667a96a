import { afterEach, expect, test } from '@jest/globals';
import { decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { BotStage } from './bot-stage.ts';
import { actionIdOf, addServer, cardsOf, openBotStage, statusOf, waitForCard, waitUntilSettled } from './bot-stage.ts';

let stage: BotStage;
afterEach(() => stage.stop());

/** Each of another playbook, so that none of them becomes a batch. */
const REQUESTS = [
  { playbook: 'restart-service', params: { service: 'nginx' } },
  { playbook: 'check-service', params: { service: 'nginx' } },
];

async function ask(server: string, index: number): Promise<string> {
  const request = REQUESTS[index % REQUESTS.length] ?? { playbook: 'restart-service', params: {} };
  return (await requestAction(stage.plane.ctx, stage.plane.asker('ana'), { server, ...request })).id;
}

/** By someone whom Slack need not vouch for: it is away in some of these tests. */
const reject = (actionId: string) =>
  decideAction(stage.plane.ctx, stage.plane.asker('root'), { actionId, kind: 'reject', reason: 'no' });

const callsOf = (method: string) => stage.slack.calls().filter((call) => call.method === method);

test('two pumps that race keep one pace together, send nothing twice and never an older state', async () => {
  stage = await openBotStage({ workspace: { enforceRateLimits: true } });
  const { slack } = stage;
  await stage.startBot();
  await stage.startBot();
  const server = await addServer(stage, true);
  const ids: string[] = [];
  for (let index = 0; index < 8; index++) ids.push(await ask(server.name, index));
  await slack.waitFor((ws) => cardsOf(ws).length >= 3, { timeoutMs: 10_000 });
  await Promise.all(ids.map(reject));
  await waitUntilSettled(stage);
  expect(cardsOf(slack).map(actionIdOf).toSorted()).toEqual(ids.toSorted());
  expect(cardsOf(slack).map(statusOf)).toEqual(Array(8).fill('rejected'));
  const posts = callsOf('chat.postMessage').filter(({ args }) => args['channel'] === 'C0MEDIC');
  expect(posts).toHaveLength(8);
  const gaps = posts.slice(1).map(({ at }, index) => at - (posts[index]?.at ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000 - 5); // the stand-in's clock has milliseconds
  expect(slack.calls().filter(({ status }) => status === 429)).toEqual([]);
});

test('an outage in the middle loses nothing, and afterwards decisions come first', async () => {
  stage = await openBotStage();
  const { slack } = stage;
  await stage.startBot();
  const server = await addServer(stage, true);
  const ids = [await ask(server.name, 0), await ask(server.name, 1)];
  await slack.waitFor((ws) => cardsOf(ws).length === 2, { timeoutMs: 10_000 });
  slack.faults.outage(true);
  await Promise.all(ids.map(reject));
  const late = await ask(server.name, 2);
  await slack.waitFor((ws) => ws.calls().filter(({ status }) => status === 503).length >= 3, { timeoutMs: 10_000 });
  const during = slack.calls().length;
  slack.faults.outage(false);
  await waitUntilSettled(stage);
  expect(
    slack
      .calls()
      .slice(during)
      .map(({ status }) => status),
  ).not.toContain(503);
  expect(Object.fromEntries(cardsOf(slack).map((card) => [actionIdOf(card), statusOf(card)]))).toEqual({
    [ids[0] ?? '']: 'rejected',
    [ids[1] ?? '']: 'rejected',
    [late]: 'pending',
  });
});

test('what Slack limits rests as long as it says, in every process, and is not asked again before', async () => {
  stage = await openBotStage();
  const { slack } = stage;
  await stage.startBot();
  await stage.startBot();
  const server = await addServer(stage, true);
  const id = await ask(server.name, 0);
  await waitForCard(slack, server.name, 'pending');
  slack.faults.rateLimitNext('chat.update', 1, 3);
  await reject(id);
  await waitForCard(slack, server.name, 'rejected');
  await waitUntilSettled(stage);
  const updates = callsOf('chat.update');
  const limited = updates.findIndex(({ status }) => status === 429);
  const next = updates[limited + 1];
  expect((next?.at ?? 0) - (updates[limited]?.at ?? 0)).toBeGreaterThanOrEqual(2_900);
});
