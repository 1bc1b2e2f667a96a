import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createApi } from '../../api/create-api.ts';
import { arrange } from '../support/arrange.ts';
import { createToken, listTokens, revokeToken } from '../../services/tokens/manage-tokens.ts';
import { recordConfigLoaded } from '../../services/audit/record-config.ts';
import { withIdempotency } from '../../services/idempotency.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
});

afterAll(() => plane.stop());

describe('tokens', () => {
  test('are stored as hashes, show when they were used, and open nothing once revoked or expired', async () => {
    const app = await createApi({ ctx: plane.ctx });
    const made = await createToken(plane.ctx, plane.asker('root'), { principal: 'ana', role: 'operator' });
    const get = async (token: string): Promise<number> =>
      (await app.inject({ url: '/api/v1/servers', headers: { authorization: `Bearer ${token}` } })).statusCode;
    const read = async () => (await listTokens(plane.ctx, plane.asker('root'))).find(({ id }) => id === made.id);
    expect(
      JSON.stringify(await plane.ctx.database.kysely.selectFrom('api_tokens').selectAll().execute()),
    ).not.toContain(made.token);
    expect(await read()).toMatchObject({ lastUsedAt: null });
    expect(await get(made.token)).toBe(200);
    const used = (await read())?.lastUsedAt;
    expect(used).toBeInstanceOf(Date);
    expect(await get(made.token)).toBe(200);
    expect((await read())?.lastUsedAt).toEqual(used);
    await revokeToken(plane.ctx, plane.asker('root'), { id: made.id });
    expect(await get(made.token)).toBe(401);
    await expect(revokeToken(plane.ctx, plane.asker('root'), { id: made.id })).rejects.toMatchObject({
      code: 'token_not_found',
    });
    const short = await createToken(plane.ctx, plane.asker('root'), {
      principal: 'ana',
      role: 'operator',
      expiresAt: new Date(Date.now() + 60_000),
    });
    await arrange(plane.ctx.database, (tx) =>
      tx.kysely
        .updateTable('api_tokens')
        .set({ expires_at: new Date(0) })
        .where('id', '=', short.id)
        .execute(),
    );
    expect(await get(short.token)).toBe(401);
    await app.close();
  });

  test('are made only for a principal and a role that they hold', async () => {
    const make = (input: { principal: string; role: string; expiresAt?: Date }) =>
      createToken(plane.ctx, plane.asker('root'), input);
    await expect(make({ principal: 'anna', role: 'operator' })).rejects.toMatchObject({ code: 'unknown_principal' });
    await expect(make({ principal: 'ana', role: 'operater' })).rejects.toMatchObject({ code: 'unknown_role' });
    await expect(make({ principal: 'ana', role: 'admin' })).rejects.toMatchObject({ code: 'role_not_held' });
    await expect(make({ principal: 'ana', role: 'operator', expiresAt: new Date(0) })).rejects.toMatchObject({
      code: 'invalid_expiry',
    });
    await expect(
      createToken(plane.ctx, plane.asker('bob'), { principal: 'ana', role: 'operator' }),
    ).rejects.toMatchObject({ code: 'role_missing' });
  });
});

describe('idempotent writes', () => {
  const write = { principal: 'ana', method: 'POST', path: '/x', body: {}, keep: (answer: unknown) => answer };

  test('a try that died is taken over after its lease, with the same effect id', async () => {
    const effects: string[] = [];
    const died = withIdempotency(plane.ctx, {
      ...write,
      key: 'lease',
      run: (effectId) => {
        effects.push(effectId);
        return new Promise(() => undefined);
      },
    });
    void died;
    while (effects.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await plane.ctx.database.kysely
      .updateTable('idempotency_keys')
      .set({ answer: JSON.stringify({ effect_id: effects[0], leased_at: new Date(0).toISOString() }) })
      .where('key', '=', 'lease')
      .execute();
    const second = await withIdempotency(plane.ctx, {
      ...write,
      key: 'lease',
      run: (effectId) => {
        effects.push(effectId);
        return Promise.resolve({ id: effectId });
      },
    });
    expect(second).toEqual({ isRepeat: false, answer: { id: effects[0] } });
    expect(effects[1]).toBe(effects[0]);
  });

  test('a key that was kept for a day is forgotten, and one that is no key is refused', async () => {
    let count = 0;
    const run = () => Promise.resolve({ count: (count += 1) });
    await withIdempotency(plane.ctx, { ...write, key: 'old', run });
    await plane.ctx.database.kysely
      .updateTable('idempotency_keys')
      .set({ created_at: new Date(Date.now() - 25 * 3_600_000) })
      .where('key', '=', 'old')
      .execute();
    expect(await withIdempotency(plane.ctx, { ...write, key: 'old', run })).toEqual({
      isRepeat: false,
      answer: { count: 2 },
    });
    await expect(withIdempotency(plane.ctx, { ...write, key: 'a b', run })).rejects.toMatchObject({
      code: 'invalid_idempotency_key',
    });
  });
});

describe('the edge', () => {
  let app: FastifyInstance;
  afterAll(() => app.close());

  test('limits requests by token, else by address, and says when to come back', async () => {
    app = await createApi({ ctx: plane.ctx, requestsPerMinute: 2, hasApiRoutes: false, isBehindProxy: true });
    const get = (address: string) => app.inject({ url: '/healthz', headers: { 'x-forwarded-for': address } });
    expect((await get('203.0.113.1')).statusCode).toBe(200);
    expect((await get('10.0.0.1, 203.0.113.1')).statusCode).toBe(200);
    const third = await get('10.0.0.2, 203.0.113.1'); // what a client wrote itself does not count
    expect(third.statusCode).toBe(429);
    expect(third.json()).toMatchObject({ code: 'too_many_requests', status: 429 });
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await get('203.0.113.2')).statusCode).toBe(200);
    expect(third.headers['strict-transport-security']).toBeDefined();
  });

  test.each([
    ['GET', /^HTTP\/1\.1 431 .*application\/problem\+json.*\r\n\r\n\{.*"headers_too_large"/s],
    ['HEAD', /^HTTP\/1\.1 431 .*application\/problem\+json.*\r\n\r\n$/s],
  ])('answers %s of an address that HTTP does not carry, with a body only where one may be', async (method, answer) => {
    const app = await createApi({ ctx: plane.ctx });
    try {
      const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(`${method} /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`);
      expect(await text(socket)).toMatch(answer);
    } finally {
      await app.close();
    }
  });

  test('serves only its plugins where it has no API routes', async () => {
    const answer = await app.inject({ url: '/api/v1/servers', headers: { 'x-forwarded-for': '203.0.113.3' } });
    expect(answer.statusCode).toBe(404);
  });

  test('an error that is not ours is logged and not told', async () => {
    const careless = await createApi({
      ctx: plane.ctx,
      plugins: [
        (instance) => {
          instance.get('/slack/broken', () => Promise.reject(new Error('password=hunter2')));
          return Promise.resolve();
        },
      ],
    });
    const answer = await careless.inject({ url: '/slack/broken' });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ code: 'internal_error' });
    expect(answer.body).not.toContain('hunter2');
    await careless.close();
  });
});

test('a configuration that counts is in the audit log with its digest', async () => {
  await recordConfigLoaded(plane.ctx.database)(plane.config, `sha256:${'0'.repeat(64)}`);
  const row = await plane.ctx.database.kysely
    .selectFrom('audit_events')
    .select('body')
    .where('event', '=', 'config.loaded')
    .executeTakeFirstOrThrow();
  expect(JSON.parse(row.body)).toMatchObject({ actor: 'system', data: { principals: 4 } });
});

describe('text that no database holds', () => {
  test.each([
    [
      'POST',
      '/api/v1/actions',
      { server: 'web-1', playbook: 'restart-service', params: {}, reason: 'a\u0000b' },
      'invalid_text',
    ],
    ['POST', '/api/v1/actions/nobody/cancel', { reason: '\ud800' }, 'invalid_text'],
    ['POST', '/api/v1/actions/nobody/cancel', { reason: 'a', '\udc00': 1 }, 'invalid_text'],
    ['POST', '/api/v1/actions/%00/approve', {}, 'invalid_text'],
    ['GET', '/api/v1/servers/%00', undefined, 'invalid_text'],
    ['GET', '/api/v1/actions/%ff', undefined, 'invalid_address'],
  ] as const)('%s %s is refused with a problem, not an error of ours', async (method, url, payload, code) => {
    const app = await createApi({ ctx: plane.ctx });
    const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'root', role: 'admin' });
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': 'one' };
    const answer = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code });
    await app.close();
  });

  test('a pair that is whole, and a backslash before what looks like half of one, are text', async () => {
    const app = await createApi({ ctx: plane.ctx });
    const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'root', role: 'admin' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'two' };
    const payload = String.raw`{"reason":"\ud83d\ude00 \\ud800 \\u0000"}`;
    const answer = await app.inject({ method: 'POST', url: '/api/v1/actions/nobody/cancel', headers, payload });
    expect(answer.json()).toMatchObject({ status: 404, code: 'action_not_found' });
    await app.close();
  });

  test('a body that names __proto__ is told so', async () => {
    const app = await createApi({ ctx: plane.ctx });
    const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'root', role: 'admin' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const payload = '{"server":"web-1","playbook":"restart-service","params":{"__proto__":{"x":1}}}';
    const answer = await app.inject({ method: 'POST', url: '/api/v1/actions', headers, payload });
    expect(answer.json()).toMatchObject({ status: 400, code: 'forbidden_name' });
    await app.close();
  });
});
