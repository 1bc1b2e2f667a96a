import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { DEFAULT_LIMITS } from '../../domain/limits.ts';
import type { Limits } from '../../domain/limits.ts';
import { checkBatchDecision } from '../../services/actions/decide-batch.ts';
import { cancelAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { cutOutput } from '../../services/agents/cut-output.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
let app: FastifyInstance;
let token: string;

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
afterEach(async () => {
  setLimits({});
  await plane.ctx.database.kysely
    .updateTable('actions')
    .set({ requested_at: new Date(0) })
    .execute();
});

function setLimits(change: Partial<Limits>): void {
  plane.config.limits = { ...DEFAULT_LIMITS, ...change };
}

function ask(server: string, change: { as?: string; dryRun?: boolean; playbook?: string; requestKey?: string } = {}) {
  const { as = 'ana', playbook = 'restart-service', ...rest } = change;
  const input = { server, playbook, params: { service: 'nginx' }, ...rest };
  return requestAction(plane.ctx, plane.asker(as), input);
}

/** How many of these requests were accepted, and the codes of the others. */
async function settle(requests: Promise<unknown>[]): Promise<{ accepted: number; codes: unknown[] }> {
  const settled = await Promise.allSettled(requests);
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
  return { accepted: settled.length - refused.length, codes: [...new Set(refused)] };
}

const pausedServers = (count: number) =>
  Promise.all(Array.from({ length: count }, () => insertTestServer(plane.ctx, { isPaused: true })));

describe('requests', () => {
  test('of one principal are counted by the minute, also of those that come at once', async () => {
    setLimits({ requestsPerMinute: 3 });
    const servers = await pausedServers(8);
    const outcome = await settle(servers.map(({ id }) => ask(id)));
    expect(outcome).toEqual({ accepted: 3, codes: ['too_many_requests'] });
    const [first] = servers;
    await expect(ask(first?.id ?? '', { as: 'bob' })).resolves.toMatchObject({ requestedBy: 'bob' });
  });

  test('that are too many say when to come again, and a repeat of one is none', async () => {
    setLimits({ requestsPerMinute: 1 });
    const [server] = await pausedServers(1);
    const first = await ask(server?.id ?? '', { requestKey: 'the-same' });
    await expect(ask(server?.id ?? '', { requestKey: 'the-same' })).resolves.toMatchObject({ id: first.id });
    const response = await app.inject({
      method: 'POST',
      url: '/api/v1/actions',
      headers: { authorization: `Bearer ${token}` },
      payload: { server: server?.name, playbook: 'restart-service', params: { service: 'nginx' } },
    });
    expect(response.statusCode).toBe(429);
    expect(response.json()).toMatchObject({ code: 'too_many_requests', limit: 1 });
    const retryAfterS = Number(response.headers['retry-after']);
    expect(retryAfterS).toBeGreaterThan(50);
    expect(retryAfterS).toBeLessThanOrEqual(60);
  });

  test('that wait on one server, and in all, have a limit that holds for those that come at once', async () => {
    const [server, ...others] = await pausedServers(9);
    setLimits({ waitingPerServer: 2 });
    const here = await settle(Array.from({ length: 6 }, () => ask(server?.id ?? '')));
    expect(here).toEqual({ accepted: 2, codes: ['server_queue_full'] });
    const before = await plane.ctx.database.kysely.selectFrom('actions').select('id').execute();
    setLimits({ waiting: before.length + 3 });
    const inAll = await settle(others.map(({ id }) => ask(id)));
    expect(inAll).toEqual({ accepted: 3, codes: ['queue_full'] });
    setLimits({ waiting: before.length + 3, waitingPerServer: 2 });
    const [some] = before;
    await cancelAction(plane.ctx, plane.asker('bob'), { actionId: some?.id ?? '' });
    await expect(ask(others[0]?.id ?? '')).resolves.toMatchObject({ status: 'pending' });
  });

  test('with more parameters than a limit are refused before they are read', async () => {
    const [server] = await pausedServers(1);
    setLimits({ paramsBytes: 256 });
    const params = { service: 'n'.repeat(300) };
    const asked = requestAction(plane.ctx, plane.asker('ana'), {
      server: server?.id ?? '',
      playbook: 'no-such',
      params,
    });
    await expect(asked).rejects.toMatchObject({ code: 'params_too_large', fields: [{ path: 'params' }] });
  });
});

describe('a cooldown', () => {
  const cooldowns = [{ playbook: 'restart-*', ms: 600_000 }];

  test('holds while the playbook is open on that server, and from its end on; it says until when', async () => {
    const server = await insertTestServer(plane.ctx);
    setLimits({ cooldowns });
    const agent = createScriptedAgent(plane.ctx, server.id);
    const { id } = await ask(server.id);
    await expect(ask(server.id)).rejects.toMatchObject({ code: 'cooldown', details: { until: null, action_id: id } });
    const command = await agent.fetchCommand();
    await agent.beatOnce({ results: [createResult(command)] });
    const query = plane.ctx.database.kysely.selectFrom('actions').select(['status', 'completed_at']);
    const ended = await poll('the end', async () => {
      const row = await query.where('id', '=', id).executeTakeFirstOrThrow();
      return row.status === 'completed' && row;
    });
    const until = new Date((ended.completed_at?.getTime() ?? 0) + 600_000).toISOString();
    await expect(ask(server.id)).rejects.toMatchObject({ code: 'cooldown', details: { until } });
    await expect(ask(server.id)).rejects.toThrow(`until ${until.slice(0, 19).replace('T', ' ')} UTC`);
    await expect(ask(server.id, { dryRun: true })).resolves.toMatchObject({ dryRun: true });
    await expect(ask(server.id, { playbook: 'check-service' })).resolves.toMatchObject({ playbook: 'check-service' });
    setLimits({ cooldowns: [{ playbook: '*', ms: 1 }] });
    await expect(ask(server.id)).resolves.toMatchObject({ status: 'pending' });
  });

  test('does not count what never ran', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    setLimits({ cooldowns });
    const { id } = await ask(server.id);
    await cancelAction(plane.ctx, plane.asker('ana'), { actionId: id });
    await expect(ask(server.id)).resolves.toMatchObject({ status: 'pending' });
  });
});

describe('an empty set of targets is an error', () => {
  test.each(['', '  '])('of a request for %j', async (server) => {
    await expect(ask(server)).rejects.toMatchObject({ code: 'no_targets', fields: [{ path: 'server' }] });
    const response = await app.inject({
      method: 'POST',
      url: '/api/v1/actions',
      headers: { authorization: `Bearer ${token}` },
      payload: { server, playbook: 'restart-service', params: { service: 'nginx' } },
    });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([400, 'no_targets']);
  });

  test.each(['server', 'playbook', 'status'])('of a list by an empty %s', async (name) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await app.inject({ method: 'GET', url: `/api/v1/actions?${name}=`, headers });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([400, 'no_targets']);
  });

  test('of a decision on many', async () => {
    const decided = checkBatchDecision(plane.ctx, plane.asker('bob'), { actions: [], kind: 'approve' });
    await expect(decided).rejects.toMatchObject({ code: 'no_targets' });
  });
});

describe('what is large', () => {
  test('is refused as a body past its limit, but not from an agent', async () => {
    setLimits({ bodyBytes: 4_096 });
    const headers = { authorization: `Bearer ${token}` };
    const payload = { server: 'web-1', playbook: 'restart-service', params: { service: 'n'.repeat(5_000) } };
    const refused = await app.inject({ method: 'POST', url: '/api/v1/actions', headers, payload });
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([413, 'too_large']);
    const heartbeat = await app.inject({ method: 'POST', url: '/api/v1/agents/heartbeat', payload });
    expect(heartbeat.statusCode).toBe(401);
    setLimits({});
    const read = await app.inject({ method: 'POST', url: '/api/v1/actions', headers, payload });
    expect(read.json<{ code: string }>().code).toBe('unknown_server');
  });

  test('is kept of output as far as its limit, with counts of the whole', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const { id } = await ask(server.id);
    const command = await agent.fetchCommand();
    setLimits({ outputBytes: 1_024 });
    const stdout = `${'ä'.repeat(1_000)}the middle${'z'.repeat(3_000)}`;
    const result = createResult(command, { stdout, stdout_bytes: 500_000, truncated: false });
    await agent.beatOnce({ results: [result] });
    const ended = await poll('the end', async () => {
      const action = await getAction(plane.ctx, plane.asker('ana'), id);
      return action.status === 'completed' && action;
    });
    expect(ended).toMatchObject({ stdoutBytes: 500_000, truncated: true });
    expect(ended.stdout).toBe(`${'ä'.repeat(256)}\n[… 498976 bytes left out …]\n${'z'.repeat(512)}`);
  });

  test('is cut between characters', () => {
    const cut = cutOutput('ä'.repeat(2_000), { bytes: 4_000, limit: 1_026 }); // half of it ends within a character
    expect(cut).toBe(`${'ä'.repeat(256)}\n[… 2976 bytes left out …]\n${'ä'.repeat(256)}`);
    const whole = 'x'.repeat(70_000);
    expect(cutOutput(whole, { bytes: 70_000, limit: 64 * 1024 })).toBe(whole); // an agent's own line is in it
  });
});
