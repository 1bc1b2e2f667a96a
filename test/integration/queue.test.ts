import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { updateServer } from '../../db/repositories/server.repository.ts';
import { DEFAULT_LIMITS } from '../../domain/limits.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { declareHalt } from '../../services/halts/declare-halt.ts';
import { liftHalt } from '../../services/halts/lift-halt.ts';
import type { QueueView, ServerQueue } from '../../services/queue/read-queue.ts';
import { readQueue } from '../../services/queue/read-queue.ts';
import { getServer } from '../../services/servers/read-servers.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import { arrange } from '../support/arrange.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
let app: FastifyInstance;

beforeAll(async () => {
  plane = await createTestControlPlane();
  plane.config.limits = DEFAULT_LIMITS;
  await plane.startWorker();
  app = await createApi({ ctx: plane.ctx });
});
afterAll(async () => {
  await app.close();
  await plane.stop();
});

async function ask(server: string): Promise<string> {
  const hourAgo = new Date(Date.now() - 3_600_000); // many at once would share a card
  await plane.ctx.database.kysely.updateTable('actions').set({ requested_at: hourAgo }).execute();
  const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
  return (await requestAction(plane.ctx, plane.asker('ana'), input)).id;
}

const read = (query = {}): Promise<QueueView> => readQueue(plane.ctx, plane.asker('cid'), query);

async function readOn(name: string): Promise<ServerQueue | undefined> {
  return (await read()).servers.find(({ server }) => server === name);
}

/** Waits for `auto`; then the codes in the order of the queue. */
async function codesOn(name: string, statuses: string[]): Promise<(string | undefined)[]> {
  const found = await poll(`${statuses.join(' and ')} on ${name}`, async () => {
    const queue = await readOn(name);
    return queue?.actions.map(({ status }) => status).join() === statuses.join() && queue;
  });
  return found.actions.map(({ why }) => why.code);
}

test('the queue says of each that waits why, since when and until when', async () => {
  const paused = await insertTestServer(plane.ctx, { isPaused: true });
  const pending = await ask(paused.name);
  expect(await codesOn(paused.name, ['pending'])).toEqual(['approval']);

  const unseen = await insertTestServer(plane.ctx);
  await ask(unseen.name);
  expect(await codesOn(unseen.name, ['approved'])).toEqual(['never_seen']);
  const longAgo = new Date(Date.now() - 3_600_000);
  await arrange(plane.ctx.database, (tx) => updateServer(tx, unseen.id, { last_seen_at: longAgo }));
  expect(await codesOn(unseen.name, ['approved'])).toEqual(['offline']);

  const busy = await insertTestServer(plane.ctx, { tags: ['web'] });
  const agent = createScriptedAgent(plane.ctx, busy.id);
  const first = await ask(busy.name);
  await agent.fetchCommand();
  await ask(busy.name);
  expect(await codesOn(busy.name, ['approved'])).toEqual(['server_busy']);

  const tagged = await insertTestServer(plane.ctx, { tags: ['web'] });
  await createScriptedAgent(plane.ctx, tagged.id).beatOnce();
  await ask(tagged.name);
  expect(await codesOn(tagged.name, ['approved'])).toEqual(['tag_share']);

  const free = await insertTestServer(plane.ctx);
  await createScriptedAgent(plane.ctx, free.id).beatOnce();
  await ask(free.name);
  expect(await codesOn(free.name, ['approved'])).toEqual(['next']);
  plane.config.limits = { ...plane.config.limits, executing: 1 };
  expect(await codesOn(free.name, ['approved'])).toEqual(['fleet_limit']);

  const queue = await read();
  expect(queue).toMatchObject({
    waiting: { count: 5, limit: 10_000 },
    executing: { count: 1, limit: 1 },
    tags: [{ tag: 'web', servers: 2, executing: 1, limit: 1 }],
    next: null,
  });
  expect(await readOn(busy.name)).toMatchObject({ held: { id: first }, waiting: { count: 1, limit: 100 } });
  const [waiting] = (await readOn(paused.name))?.actions ?? [];
  expect(waiting).toMatchObject({ id: pending, why: { sentence: 'It waits for people: 0 of 1 approved it.' } });
  expect((waiting?.until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(30_000);
  expect(queue.servers.map(({ server }) => server)).toEqual(queue.servers.map(({ server }) => server).toSorted());

  await decideAction(plane.ctx, plane.asker('bob'), { actionId: pending, kind: 'reject', reason: 'no' });
  expect(await readOn(paused.name)).toBeUndefined();
});

test('the queue comes by pages of servers, over HTTP too, and the metrics tell how full each limit is', async () => {
  const whole = await read();
  const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'cid', role: 'approver' });
  const headers = { authorization: `Bearer ${token}` };
  const names: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const url: string = `/api/v1/queue?limit=2${after === '' ? '' : `&after=${after}`}`;
    const response = await app.inject({ method: 'GET', url, headers });
    expect(response.statusCode).toBe(200);
    const page = response.json<{ servers: { server: string }[]; next: string | null }>();
    names.push(...page.servers.map(({ server }) => server));
    after = page.next;
  }
  expect(names).toEqual(whole.servers.map(({ server }) => server));
  expect(names.length).toBeGreaterThan(2);
  const wrong = await app.inject({ method: 'GET', url: '/api/v1/queue?after=%20', headers });
  expect([wrong.statusCode, wrong.json<{ code: string }>().code]).toEqual([400, 'invalid_cursor']);
  const { payload } = await app.inject({ method: 'GET', url: '/metrics' });
  expect(payload).toContain(`medic_limit_used{limit="waiting"} ${whole.waiting.count}\n`);
  expect(payload).toContain('medic_limit_used{limit="executing"} 1\n');
  expect(payload).toContain('medic_limit{limit="executing"} 1\n');
  expect(payload).toContain('medic_limit{limit="waiting_per_server"} 100\n');
  expect(payload).toMatch(/^medic_actions_held\{by="fleet_limit"\} \d+$/m);
});

test('the queue says what is halted or frozen, by whom and why, also of what waits for a person', async () => {
  const tagged = await insertTestServer(plane.ctx, { tags: ['shop'] });
  await ask(tagged.name);
  await codesOn(tagged.name, ['approved']);
  const paused = await insertTestServer(plane.ctx, { isPaused: true });
  await ask(paused.name);
  const bob = plane.asker('bob');
  const frozen = await declareHalt(plane.ctx, bob, { reason: 'the move', tag: 'shop' });
  expect(await codesOn(tagged.name, ['approved'])).toEqual(['frozen']);
  expect(await codesOn(paused.name, ['pending'])).toEqual(['approval']);
  const halted = await declareHalt(plane.ctx, bob, { reason: 'no space' });
  expect(await codesOn(tagged.name, ['approved'])).toEqual(['halted']); // the widest
  expect(await codesOn(paused.name, ['pending'])).toEqual(['halted']);
  const [first] = (await readOn(paused.name))?.actions ?? [];
  expect(first?.why.sentence).toMatch(/^Everything is halted by bob since .*: no space$/);
  expect((await read()).halts.map(({ id, scope }) => [id, scope])).toEqual([
    [frozen.id, 'tag'],
    [halted.id, 'all'],
  ]);
  const seen = (name: string) => getServer(plane.ctx, plane.asker('cid'), name);
  expect((await seen(tagged.name)).halt).toMatchObject({ id: halted.id });
  await liftHalt(plane.ctx, bob, { id: String(halted.id) });
  expect((await seen(tagged.name)).halt).toMatchObject({ id: frozen.id });
  expect((await seen(paused.name)).halt).toBeNull();
  await liftHalt(plane.ctx, bob, { id: String(frozen.id) });
  expect((await read()).halts).toEqual([]);
});
