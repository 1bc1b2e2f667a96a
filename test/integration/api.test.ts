import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import type { Principal } from '../../domain/principal.ts';
import type { Role } from '../../domain/roles.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
let app: FastifyInstance;
const tokens = new Map<string, string>();

beforeAll(async () => {
  plane = await createTestControlPlane();
  const robot: Principal = { name: 'robot', roles: ['automation'], slackUserId: null, groups: [] };
  const eve: Principal = { name: 'eve', roles: ['viewer', 'auditor'], slackUserId: null, groups: [] };
  plane.config.principals = new Map([...plane.config.principals, ['robot', robot], ['eve', eve]]);
  app = await createApi({ ctx: plane.ctx });
  await plane.startWorker();
  for (const [principal, role] of [
    ['ana', 'operator'],
    ['bob', 'approver'],
    ['root', 'admin'],
    ['robot', 'automation'],
    ['eve', 'viewer'],
  ] as const) {
    tokens.set(principal, await makeToken(principal, role));
  }
  tokens.set('auditor', await makeToken('eve', 'auditor'));
});

afterAll(async () => {
  await app.close();
  await plane.stop();
});

async function makeToken(principal: string, role: Role): Promise<string> {
  const { token } = await createToken(plane.ctx, plane.asker('root'), { principal, role });
  return token;
}

interface Call {
  as?: string;
  body?: unknown;
  key?: string;
}

async function call(method: 'GET' | 'POST' | 'PUT', url: string, { as, body, key }: Call = {}) {
  const response = await app.inject({
    method,
    url,
    headers: {
      ...(as === undefined ? {} : { authorization: `Bearer ${tokens.get(as) ?? as}` }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const type = String(response.headers['content-type']);
  const json = type.includes('json') ? (response.json() as Record<string, unknown>) : {};
  return { status: response.statusCode, type, json, text: response.body, headers: response.headers };
}

const ask = (server: string) => ({ server, playbook: 'restart-service', params: { service: 'nginx' }, reason: 'down' });

describe('actions', () => {
  test('an operator asks, an approver decides, everyone sees it', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const asked = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name) });
    expect(asked.status).toBe(201);
    expect(asked.json).toMatchObject({ server: server.name, status: 'pending', requested_by: 'ana', approvals: [] });
    const url = `/api/v1/actions/${String(asked.json['id'])}`;
    const approved = await call('POST', `${url}/approve`, { as: 'bob', body: { reason: 'go' } });
    expect(approved.status).toBe(200);
    expect(approved.json).toMatchObject({ status: 'approved', approved_by: 'bob', outcome: 'applied' });
    const seen = await call('GET', url, { as: 'eve' });
    expect(seen.json).toMatchObject({ status: 'approved', approvals: [{ by: 'bob', reason: 'go' }] });
  });

  test('a decision by someone who may not is refused and audited', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const asked = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name) });
    const id = String(asked.json['id']);
    const refused = await call('POST', `/api/v1/actions/${id}/approve`, { as: 'ana', body: {} });
    expect(refused).toMatchObject({ status: 403, json: { code: 'not_an_approver', status: 403 } });
    expect(refused.type).toContain('application/problem+json');
    const audit = await call('GET', '/api/v1/audit?limit=1000', { as: 'auditor' });
    const items = audit.json['items'] as { event: string; actor: string; subject: { id: string } }[];
    expect(items.filter(({ subject }) => subject.id === id).map(({ event, actor }) => [event, actor])).toEqual([
      ['action.requested', 'ana'],
      ['decision.refused', 'ana'],
    ]);
  });

  test('unknown names are told with the nearest known one', async () => {
    const server = await insertTestServer(plane.ctx);
    const playbook = await call('POST', '/api/v1/actions', {
      as: 'ana',
      body: { ...ask(server.name), playbook: 'restart-servise' },
    });
    expect(playbook).toMatchObject({ status: 400, json: { code: 'unknown_playbook' } });
    expect(String(playbook.json['detail'])).toContain('restart-service');
    const where = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(`${server.name}x`) });
    expect(where).toMatchObject({ status: 400, json: { code: 'unknown_server' } });
    const field = await call('POST', '/api/v1/actions', { as: 'ana', body: { ...ask(server.name), reasn: 'x' } });
    expect(field).toMatchObject({ status: 400, json: { code: 'invalid_request', errors: [{ path: 'reasn' }] } });
    expect(String(field.json['detail'])).toContain('Did you mean "reason"?');
  });

  test('an automation reads only what it asked for', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const mine = await call('POST', '/api/v1/actions', { as: 'robot', body: ask(server.name) });
    const other = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name) });
    const list = await call('GET', `/api/v1/actions?server=${server.name}`, { as: 'robot' });
    expect((list.json['items'] as { id: string }[]).map(({ id }) => id)).toEqual([mine.json['id']]);
    expect(await call('GET', `/api/v1/actions/${String(other.json['id'])}`, { as: 'robot' })).toMatchObject({
      status: 404,
    });
  });

  test('lists page by cursor without repeating or losing any', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    for (let i = 0; i < 3; i++) await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name) });
    const first = await call('GET', `/api/v1/actions?server=${server.name}&limit=2`, { as: 'eve' });
    const after = String(first.json['next']);
    const second = await call('GET', `/api/v1/actions?server=${server.name}&limit=2&after=${after}`, { as: 'eve' });
    const ids = [first, second].flatMap(({ json }) => (json['items'] as { id: string }[]).map(({ id }) => id));
    expect(new Set(ids).size).toBe(3);
    expect(second.json['next']).toBeNull();
    expect(await call('GET', '/api/v1/actions?after=nonsense', { as: 'eve' })).toMatchObject({
      status: 400,
      json: { code: 'invalid_cursor' },
    });
  });
});

describe('Idempotency-Key', () => {
  test('a repeat answers 200 with the first answer and changes nothing', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const first = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name), key: 'k1' });
    const again = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name), key: 'k1' });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.json).toEqual(first.json);
    const list = await call('GET', `/api/v1/actions?server=${server.name}`, { as: 'eve' });
    expect(list.json['items']).toHaveLength(1);
  });

  test('another body under the same key is a conflict, another principal is not', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name), key: 'k2' });
    const changed = { ...ask(server.name), reason: 'another' };
    expect(await call('POST', '/api/v1/actions', { as: 'ana', body: changed, key: 'k2' })).toMatchObject({
      status: 409,
      json: { code: 'idempotency_mismatch' },
    });
    expect((await call('POST', '/api/v1/actions', { as: 'robot', body: changed, key: 'k2' })).status).toBe(201);
  });

  test('ten at once make one action', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const calls = Array.from({ length: 10 }, () =>
      call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name), key: 'k3' }),
    );
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(1);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...Array<number>(9).fill(200), 201]);
  });

  test('a refused write frees its key', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const wrong = await call('POST', '/api/v1/actions', { as: 'ana', body: ask('nowhere'), key: 'k4' });
    const right = await call('POST', '/api/v1/actions', { as: 'ana', body: ask(server.name), key: 'k4' });
    expect([wrong.status, right.status]).toEqual([400, 201]);
  });

  test('a secret is not repeated', async () => {
    const body = { server_name: 'new-1' };
    const first = await call('POST', '/api/v1/servers/enrollment-tokens', { as: 'root', body, key: 'k5' });
    const again = await call('POST', '/api/v1/servers/enrollment-tokens', { as: 'root', body, key: 'k5' });
    expect(first).toMatchObject({ status: 201, json: { token: expect.stringMatching(/^medic_enroll_/) } });
    expect(again).toMatchObject({ status: 200, json: { expires_at: first.json['expires_at'] } });
    expect(again.json).not.toHaveProperty('token');
  });
});

describe('bad input', () => {
  test('a body that is no JSON, too large, too deep or poisoned is refused', async () => {
    const send = (body: string) => call('POST', '/api/v1/actions', { as: 'ana', body });
    expect(await send('{')).toMatchObject({ status: 400, json: { code: 'invalid_json' } });
    expect(await send(`{"reason":"${'x'.repeat(70_000)}"}`)).toMatchObject({
      status: 413,
      json: { code: 'too_large' },
    });
    expect(await send('['.repeat(100) + ']'.repeat(100))).toMatchObject({ status: 400, json: { code: 'too_deep' } });
    expect(await send('{"__proto__":{"x":1}}')).toMatchObject({ status: 400, json: { code: 'forbidden_name' } });
  });

  test('a body in another charset than UTF-8 is refused, however it is written', async () => {
    const send = (contentType: string, payload: string | Buffer) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/actions',
        headers: { authorization: `Bearer ${tokens.get('ana') ?? ''}`, 'content-type': contentType },
        payload,
      });
    for (const type of ['application/json; charset=utf-16', 'application/json;CHARSET="ISO-8859-1"']) {
      const answer = await send(type, Buffer.from('{}', 'utf16le'));
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([415, 'unsupported_media_type']);
    }
    for (const type of ['application/json', 'application/json; charset=UTF-8', 'application/json;charset="utf-8"']) {
      expect((await send(type, '{}')).json()).toMatchObject({ code: 'invalid_request' }); // it was read
    }
  });

  test('an address that is too long is told as that', async () => {
    expect(await call('GET', `/api/v1/actions/${'x'.repeat(3_000)}`, { as: 'ana' })).toMatchObject({
      status: 414,
      json: { code: 'address_too_long' },
    });
  });

  test('an unknown route is a problem too', async () => {
    expect(await call('GET', '/api/v1/nothing')).toMatchObject({ status: 404, json: { code: 'unknown_route' } });
  });

  test('a stranger’s token is 401', async () => {
    expect(await call('GET', '/api/v1/servers', { as: 'medic_' + 'x'.repeat(43) })).toMatchObject({
      status: 401,
      json: { code: 'unauthenticated' },
    });
  });
});

describe('tokens', () => {
  test('one whose principal lost the role opens nothing, and one whose principal left is unknown', async () => {
    const zoe: Principal = { name: 'zoe', roles: ['viewer'], slackUserId: null, groups: [] };
    const before = plane.config.principals;
    plane.config.principals = new Map([...before, ['zoe', zoe]]);
    const token = await makeToken('zoe', 'viewer');
    expect((await call('GET', '/api/v1/servers', { as: token })).status).toBe(200);
    plane.config.principals = new Map([...before, ['zoe', { ...zoe, roles: ['approver'] as const }]]);
    expect(await call('GET', '/api/v1/servers', { as: token })).toMatchObject({
      status: 403,
      json: { code: 'role_lost' },
    });
    plane.config.principals = before;
    expect((await call('GET', '/api/v1/servers', { as: token })).status).toBe(401);
  });
});

describe('for operators', () => {
  test('health, readiness, metrics, the description and its page', async () => {
    expect(await call('GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(await call('GET', '/readyz')).toMatchObject({ status: 200, json: { status: 'ready', missing: [] } });
    const metrics = await call('GET', '/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain('medic_actions{status="pending"}');
    const openapi = await call('GET', '/openapi.json');
    const paths = Object.keys(openapi.json['paths'] as object);
    for (const { url, access } of app.medicRoutes.filter((route) => route.url.startsWith('/api/'))) {
      expect(access).toBeDefined();
      expect(paths).toContain(url.replace(/:(\w+)/g, '{$1}'));
    }
    const page = await call('GET', '/docs/');
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/(?:src|href)="https?:/);
    expect(page.text).not.toMatch(/<script>[^<]/);
  });

  test('metrics ask a caller from elsewhere for a viewer’s token', async () => {
    const remoteAddress = '203.0.113.7';
    const without = await app.inject({ url: '/metrics', remoteAddress });
    expect(without.statusCode).toBe(401);
    const headers = { authorization: `Bearer ${tokens.get('eve') ?? ''}` };
    expect((await app.inject({ url: '/metrics', remoteAddress, headers })).statusCode).toBe(200);
  });
});
