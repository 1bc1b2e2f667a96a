import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createActivities } from '../../activities/index.ts';
import { createApi } from '../../api/create-api.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { dismissDeadLetter } from '../../services/dead-letters/dismiss.ts';
import { replayAction } from '../../services/dead-letters/replay.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { readQueue } from '../../services/queue/read-queue.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';
import { waitForStatus } from '../support/wait-for-status.ts';

let plane: TestControlPlane;
let app: FastifyInstance;
let token: string;
/** A new server for each test. */
let server: { id: string; name: string };
let agent: ReturnType<typeof createScriptedAgent>;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  app = await createApi({ ctx: plane.ctx });
  ({ token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'ana', role: 'operator' }));
});
afterAll(async () => {
  await app.close();
  await plane.stop();
});
beforeEach(async () => {
  server = await insertTestServer(plane.ctx);
  agent = createScriptedAgent(plane.ctx, server.id);
  holdBackAfter(2);
});

function holdBackAfter(failures: number): void {
  plane.config.limits = { ...plane.config.limits, holdBacks: [{ playbook: '*', failures }] };
}

async function ask(change: { server?: string; playbook?: string; dryRun?: boolean } = {}): Promise<string> {
  const hourAgo = new Date(Date.now() - 3_600_000); // many at once would share a card
  await plane.ctx.database.kysely.updateTable('actions').set({ requested_at: hourAgo }).execute();
  const input = { server: server.id, playbook: 'restart-service', params: { service: 'nginx' }, ...change };
  return (await requestAction(plane.ctx, plane.asker('ana'), input)).id;
}

const read = (id: string): Promise<ActionView> => getAction(plane.ctx, plane.asker('ana'), id);

/** Its agent runs this action, which is next, with this result. */
async function run(id: string, result: object = {}): Promise<ActionView> {
  const command = await agent.fetchCommand();
  expect(command.action_id).toBe(id);
  await agent.beatOnce({ results: [createResult(command, result)] });
  return waitForStatus(plane, id, 'exit_code' in result ? 'failed' : 'completed');
}

const FAILED = { status: 'failed', exit_code: 1 };
const fail = async (): Promise<ActionView> => run(await ask(), FAILED);
const dismiss = (actionId: string) =>
  dismissDeadLetter(plane.ctx, plane.asker('bob'), { actionId, reason: 'looked at it' });
const isHeldBack = async (): Promise<boolean> =>
  (await readQueue(plane.ctx, plane.asker('cid'))).heldBack.some((held) => held.server === server.name);

async function eventsOf(name: string): Promise<Record<string, unknown>[]> {
  const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
  return items.filter(({ event, subject }) => event === name && subject.id === server.id).map(({ data }) => data);
}

/** How often the channel is told that something is held back because of one of these. */
async function countNews(ids: readonly string[]): Promise<number> {
  const { rows } = await plane.ctx.database.pool.query<{ id: string }>(
    `select payload ->> 'action_id' as id from slack_outbox where kind = 'announcement' and payload ->> 'topic' = 'held_back'`,
  );
  return rows.filter(({ id }) => ids.includes(id)).length;
}

describe('a playbook that keeps failing on a server', () => {
  test('is held back there after so many failures in a row, told once, and refused in every way in', async () => {
    const ids = [(await fail()).id];
    await run(await ask()); // a success begins the count anew
    ids.push((await fail()).id);
    expect(await isHeldBack()).toBe(false);
    const last = await fail();
    ids.push(last.id);
    const short = last.id.slice(0, 8);
    await expect(ask()).rejects.toMatchObject({
      code: 'held_back',
      message: `restart-service is held back on ${server.name}, as it has failed there 2 times in a row. See why ${short} failed, then replay or dismiss it: the playbook gets one more try. Nothing was recorded.`,
      details: { action_id: last.id, failures: 2 },
    });
    const headers = { authorization: `Bearer ${token}` };
    const payload = { server: server.name, playbook: 'restart_service', params: { service: 'other' } };
    const refused = await app.inject({ method: 'POST', url: '/api/v1/actions', headers, payload });
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([409, 'held_back']);
    await expect(replayAction(plane.ctx, plane.asker('bob'), { actionId: ids[0] ?? '' })).rejects.toMatchObject({
      code: 'held_back',
    });
    const queue = await app.inject({ method: 'GET', url: '/api/v1/queue', headers });
    expect(queue.json<{ held_back: object[] }>().held_back).toContainEqual({
      ...{ server: server.name, playbook: 'restart-service', failures: 2 },
      ...{ since: expect.any(String), dead_letter: last.id },
    });
    const { payload: metrics } = await app.inject({ method: 'GET', url: '/metrics' });
    expect(metrics).toMatch(/^medic_held_back\{playbook="restart-service"\} 1$/m);
    expect(await eventsOf('server.playbook_held_back')).toEqual([
      { playbook: 'restart-service', failures: 2, action_id: last.id },
    ]);
    expect(await countNews(ids)).toBe(1);
    await expect(ask({ dryRun: true })).resolves.toBeTruthy();
    await expect(ask({ playbook: 'check-service' })).resolves.toBeTruthy();
    await expect(ask({ server: (await insertTestServer(plane.ctx)).id })).resolves.toBeTruthy();
  });

  test('gets one more try once somebody deals with the failure that was one too many, and no other', async () => {
    const first = await fail();
    const second = await fail();
    await dismiss(first.id);
    await expect(ask()).rejects.toMatchObject({ code: 'held_back' });
    await dismiss(second.id);
    const third = await fail();
    expect(await isHeldBack()).toBe(true); // again, at once
    const { action: fourth } = await replayAction(plane.ctx, plane.asker('bob'), { actionId: third.id });
    await run(fourth.id);
    expect(await isHeldBack()).toBe(false);
    await fail();
    expect(await isHeldBack()).toBe(false); // the success began the count anew
    expect((await eventsOf('server.playbook_released')).map(({ action_id: id, how }) => [id, how])).toEqual([
      [second.id, 'dismissed'],
      [third.id, 'replayed'],
    ]);
    expect(await countNews([second.id, third.id])).toBe(2);
  });

  test('holds back what was approved before, lets others pass, and is handed out when it is released', async () => {
    holdBackAfter(1);
    const [failing, held, other] = [await ask(), await ask(), await ask({ playbook: 'check-service' })];
    for (const id of [failing, held, other]) await waitForStatus(plane, id, 'approved');
    await run(failing, FAILED);
    await run(other);
    expect((await agent.beatOnce()).commands).toEqual([]);
    const { actions } = (await readQueue(plane.ctx, plane.asker('cid'))).servers.find(
      (one) => one.server === server.name,
    ) ?? { actions: [] };
    const sentence = `It waits until somebody replays or dismisses ${failing.slice(0, 8)}, as its playbook has failed here once.`;
    expect(actions).toMatchObject([{ id: held, why: { code: 'held_back', sentence } }]);
    expect((await read(held)).heldBy).toEqual({ code: 'held_back', failures: 1, action: failing });
    const holding = agent.fetchCommand(); // a heartbeat that is held when it is released
    await dismiss(failing);
    expect((await holding).action_id).toBe(held);
  });

  test('lets what waits too long for it expire with its own code', async () => {
    holdBackAfter(1);
    const [failing, held] = [await ask(), await ask()];
    for (const id of [failing, held]) await waitForStatus(plane, id, 'approved');
    await run(failing, FAILED);
    await plane.ctx.database.kysely
      .updateTable('actions')
      .set({ expires_at: new Date(Date.now() - 1) })
      .where('id', '=', held)
      .execute();
    await createActivities({ database: plane.ctx.database }).enforceDeadline(held);
    expect(await read(held)).toMatchObject({ status: 'expired', failureCode: 'held_back', deadLetter: 'open' });
  });

  test('is not held back where the limit says never', async () => {
    holdBackAfter(0);
    for (let i = 0; i < 3; i++) await fail();
    expect(await isHeldBack()).toBe(false);
  });
});
