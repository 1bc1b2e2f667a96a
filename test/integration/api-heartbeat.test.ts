import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { createApi } from '../../api/create-api.ts';
import { openDatabase } from '../../db/orm.ts';
import { mintAgentToken } from '../../protocol/agent-jwt.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { SigningKey } from '../../protocol/keys.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';

let plane: TestControlPlane;
let app: FastifyInstance;
let url: string;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  app = await createApi({ ctx: plane.ctx });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await app.close();
  await plane.stop();
});

async function post(path: string, input: { body: unknown; token?: string; base?: string; signal?: AbortSignal }) {
  const response = await fetch(`${input.base ?? url}/api/v1/agents/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(input.token === undefined ? {} : { authorization: `Bearer ${input.token}` }),
    },
    body: JSON.stringify(input.body),
    signal: input.signal ?? null,
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const enrollment = (token: string, key: SigningKey) => ({
  protocol: 1,
  token,
  hostname: 'host',
  public_key: { kty: 'OKP', crv: 'Ed25519', x: key.publicKey.x },
  agent_version: '0.0.0-test',
  os: 'linux',
  playbooks: [],
});

interface Agent {
  serverId: string;
  token(nowMs?: number): Promise<string>;
  beat(change?: object): object;
}

async function enroll(name: string): Promise<Agent> {
  const key = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
  const { token } = await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: name });
  const { status, json } = await post('enroll', { body: enrollment(token, key) });
  expect(status).toBe(201);
  const serverId = String(json['server_id']);
  const startedAt = new Date().toISOString();
  let beat = 0;
  return {
    serverId,
    token: (nowMs = Date.now()) =>
      mintAgentToken({ serverId, privateKey: key.privateKey, kid: key.publicKey.kid, nowMs }),
    beat: (change = {}) => ({
      protocol: 1,
      session: { started_at: startedAt, beat: (beat += 1) },
      agent_version: '0.0.0-test',
      boot_id: 'boot',
      uptime_s: 1,
      load: 0,
      wait_s: 0,
      running: [],
      results: [],
      ...change,
    }),
  };
}

describe('heartbeats over HTTP', () => {
  test('a held one is answered as soon as there is a command', async () => {
    const agent = await enroll('hold-1');
    const held = post('heartbeat', { body: agent.beat({ wait_s: 20 }), token: await agent.token() });
    await requestAction(plane.ctx, plane.asker('ana'), {
      server: 'hold-1',
      playbook: 'restart-service',
      params: { service: 'nginx' },
    });
    const { status, json } = await held;
    expect(status).toBe(200);
    expect(json).toMatchObject({ paused: false, halted: false, acked: [], commands: [expect.any(String)] });
  });

  test('who is not enrolled, or forges, is 401, and a clock that is off learns the time', async () => {
    const agent = await enroll('auth-1');
    const stranger = await enroll('auth-2');
    expect(await post('heartbeat', { body: agent.beat() })).toMatchObject({ status: 401 });
    const [head, claims] = (await agent.token()).split('.');
    const signature = (await stranger.token()).split('.')[2];
    expect(await post('heartbeat', { body: agent.beat(), token: [head, claims, signature].join('.') })).toMatchObject({
      status: 401,
      json: { code: 'unauthenticated' },
    });
    const toBase64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unreadable = [toBase64({ alg: 'EdDSA' }), toBase64({ sub: 'a\u0000', aud: 'medic' }), 'AAAA'].join('.');
    expect(await post('heartbeat', { body: agent.beat(), token: unreadable })).toMatchObject({ status: 401 });
    const skewed = await post('heartbeat', { body: agent.beat(), token: await agent.token(Date.now() - 3_600_000) });
    expect(skewed).toMatchObject({ status: 401, json: { code: 'clock_skew' } });
    expect(Date.parse(String(skewed.json['server_time']))).toBeGreaterThan(Date.now() - 10_000);
  });

  test('that tells of a damaged journal is kept in the audit log, once a session', async () => {
    const agent = await enroll('beat-damage');
    const journal_damage = { found_at: '2026-01-31T12:00:00.000Z', lines: 2 };
    for (let told = 0; told < 2; told++) {
      const body = agent.beat({ wait_s: 0, journal_damage });
      expect(await post('heartbeat', { body, token: await agent.token() })).toMatchObject({ status: 200 });
    }
    const events = await plane.ctx.database.kysely
      .selectFrom('audit_events')
      .select('body')
      .where('subject_id', '=', agent.serverId)
      .orderBy('seq')
      .execute();
    const told = events.map(({ body }) => JSON.parse(body) as { event: string; actor: string; data: object });
    expect(told.filter(({ event }) => event === 'server.journal_damaged')).toMatchObject([
      { actor: agent.serverId, via: 'agent', data: journal_damage },
    ]);
  });

  test('an unknown protocol is 426, a malformed message 400 with its fields, a replayed one 409 with `last`', async () => {
    const agent = await enroll('bad-1');
    const token = await agent.token();
    expect(await post('heartbeat', { body: agent.beat({ protocol: 9 }), token })).toMatchObject({
      status: 426,
      json: { code: 'unsupported_protocol' },
    });
    expect(await post('heartbeat', { body: agent.beat({ wait_s: 'x' }), token })).toMatchObject({
      status: 400,
      json: { code: 'invalid_message', errors: [{ path: 'wait_s' }] },
    });
    for (const change of [{ agent_version: '1\0' }, { boot_id: '\0' }]) {
      expect(await post('heartbeat', { body: agent.beat(change), token })).toMatchObject({
        status: 400,
        json: { code: 'invalid_text' },
      });
    }
    const body = agent.beat();
    expect((await post('heartbeat', { body, token })).status).toBe(200);
    expect(await post('heartbeat', { body, token })).toMatchObject({
      status: 409,
      json: { code: 'stale_heartbeat', status: 409, last: expect.anything() },
    });
  });

  test('a session at the end of time is 400 with the time, and shuts nobody out', async () => {
    const agent = await enroll('future-1');
    const token = await agent.token();
    const { database } = plane.ctx;
    const session = { started_at: '9999-12-31T23:59:59.999Z', beat: 1 };
    expect(await post('heartbeat', { body: agent.beat({ session }), token })).toMatchObject({
      status: 400,
      json: { code: 'session_in_future', server_time: expect.anything(), errors: [{ path: 'session.started_at' }] },
    });
    const polluted = { session_started_at: new Date(session.started_at), session_beat: 1 }; // by an older version
    await database.kysely.updateTable('servers').set(polluted).where('id', '=', agent.serverId).execute();
    expect((await post('heartbeat', { body: agent.beat(), token })).status).toBe(200);
  });

  test('may be as large as 1 MiB, and an enrolment not', async () => {
    const agent = await enroll('large-1');
    const token = await agent.token();
    const fill = (bytes: number) => ({ unknown_field: 'x'.repeat(bytes) });
    expect((await post('heartbeat', { body: agent.beat(fill(900_000)), token })).status).toBe(200);
    expect(await post('heartbeat', { body: agent.beat(fill(1_100_000)), token })).toMatchObject({ status: 413 });
    expect(await post('enroll', { body: fill(70_000) })).toMatchObject({ status: 413, json: { code: 'too_large' } });
  });

  test('an enrolment token works once', async () => {
    const key = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
    const { token } = await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: 'once-1' });
    expect((await post('enroll', { body: enrollment(token, key) })).status).toBe(201);
    expect(await post('enroll', { body: enrollment(token, key) })).toMatchObject({
      status: 401,
      json: { code: 'invalid_enrollment_token' },
    });
  });

  test('stopping answers held ones at once', async () => {
    const agent = await enroll('stop-1');
    const other = await createApi({ ctx: plane.ctx });
    const base = await other.listen({ host: '127.0.0.1', port: 0 });
    const received = once(other.server, 'request');
    const held = post('heartbeat', { body: agent.beat({ wait_s: 25 }), token: await agent.token(), base });
    await received;
    const startedMs = Date.now();
    await other.close();
    expect(await held).toMatchObject({ status: 200, json: { commands: [] } });
    expect(Date.now() - startedMs).toBeLessThan(5_000);
  });

  test('an agent that goes away while held leaves its command to its next heartbeat', async () => {
    const agent = await enroll('gone-1');
    const gone = new AbortController();
    const received = once(app.server, 'request');
    const body = agent.beat({ wait_s: 25 });
    const held = post('heartbeat', { body, token: await agent.token(), signal: gone.signal });
    await received;
    gone.abort();
    await expect(held).rejects.toThrow();
    await requestAction(plane.ctx, plane.asker('ana'), {
      server: 'gone-1',
      playbook: 'restart-service',
      params: { service: 'nginx' },
    });
    const next = await post('heartbeat', { body: agent.beat({ wait_s: 20 }), token: await agent.token() });
    expect(next.json['commands']).toHaveLength(1);
  });
});

describe('while something is away', () => {
  test('a database that is not there is 503, and readyz names it', async () => {
    const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'ana', role: 'operator' });
    const database = await openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', onError: () => undefined });
    const lame = await createApi({ ctx: { ...plane.ctx, database } });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await lame.inject({ url: '/api/v1/servers', headers });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'database_away' });
    expect(answer.headers['retry-after']).toBeDefined();
    const ready = await lame.inject({ url: '/readyz' });
    expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'not_ready', missing: ['database'] }]);
    expect((await lame.inject({ url: '/healthz' })).statusCode).toBe(200);
    await lame.close();
    await database.close();
  });

  test('with Temporal away a decision is recorded, and readyz names it', async () => {
    const temporal = {
      ...plane.ctx.temporal,
      decide: () => Promise.resolve({ kind: 'away' as const }),
      startAction: () => Promise.resolve('away' as const),
      isReachable: () => Promise.resolve(false),
    };
    const lame = await createApi({ ctx: { ...plane.ctx, temporal } });
    const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'ana', role: 'operator' });
    await enroll('away-1');
    const headers = { authorization: `Bearer ${token}` };
    const payload = { server: 'away-1', playbook: 'restart-service', params: { service: 'nginx' } };
    const asked = await lame.inject({ method: 'POST', url: '/api/v1/actions', headers, payload });
    expect(asked.statusCode).toBe(201);
    const { id } = asked.json<{ id: string }>();
    const cancelled = await lame.inject({ method: 'POST', url: `/api/v1/actions/${id}/cancel`, headers });
    expect(cancelled.json()).toMatchObject({ outcome: 'recorded' });
    expect((await lame.inject({ url: '/readyz' })).json()).toMatchObject({ missing: ['temporal'] });
    await lame.close();
  });
});
