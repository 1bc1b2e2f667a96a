import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { ROLES } from '../../domain/roles.ts';
import type { Role } from '../../domain/roles.ts';
import { signNextCheckpoint } from '../../services/audit/sign-checkpoint.ts';
import { declareHalt } from '../../services/halts/declare-halt.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { insertTestServer } from '../support/servers.ts';

/** Written down by hand from docs/contract.md, sections 3 and 4, and not derived from the code. */
interface Expectation {
  may: readonly Role[];
  body?: unknown;
  /** What a caller without any token gets. */
  withoutToken?: number;
}

const ENROLLMENT = {
  protocol: 1,
  token: 'medic_enroll_unknown',
  hostname: 'db-9',
  public_key: { kty: 'OKP', crv: 'Ed25519', x: 'g'.repeat(42) + 'A' },
  agent_version: '1',
  os: 'linux',
  playbooks: [],
};

const READERS: Role[] = ['viewer', 'operator', 'approver', 'auditor', 'admin'];
const ANYONE: Expectation = { may: ROLES, withoutToken: 200 };
const ROUTES: Readonly<Record<string, Expectation>> = {
  'GET /healthz': ANYONE,
  'GET /readyz': ANYONE,
  'GET /openapi.json': ANYONE,
  'GET /metrics': { may: READERS, withoutToken: 200 }, // on loopback; see api.test.ts for elsewhere
  'GET /api/v1/servers': { may: READERS },
  'GET /api/v1/servers/:id': { may: READERS },
  'PUT /api/v1/servers/:id/pause': { may: ['operator', 'admin'], body: { reason: 'a test' } },
  'PUT /api/v1/servers/:id/unpause': { may: ['operator', 'admin'], body: {} },
  'POST /api/v1/servers/:id/revoke': { may: ['admin'], body: { reason: 'a test' } },
  'POST /api/v1/servers/enrollment-tokens': { may: ['admin'], body: { server_name: 'db-9' } },
  'GET /api/v1/halts': { may: READERS },
  'POST /api/v1/halts': { may: ['operator', 'admin'], body: { reason: 'a test', playbook: 'clear-logs' } },
  'POST /api/v1/halts/:id/lift': { may: ['operator', 'admin'], body: {} },
  'POST /api/v1/actions': { may: ['operator', 'automation', 'admin'], body: 'request' },
  'GET /api/v1/actions': { may: [...READERS, 'automation'] },
  'GET /api/v1/actions/:id': { may: READERS }, // an automation only its own, so another's is 404 to it
  'GET /api/v1/actions/:id/why': { may: READERS },
  'POST /api/v1/actions/:id/approve': { may: ['approver', 'admin'], body: {} },
  'POST /api/v1/actions/:id/reject': { may: ['approver', 'admin'], body: { reason: 'a test' } },
  'POST /api/v1/actions/:id/cancel': { may: ['operator', 'admin'], body: {} },
  'GET /api/v1/queue': { may: READERS },
  'GET /api/v1/dead-letters': { may: [...READERS, 'automation'] },
  'POST /api/v1/dead-letters/replay': { may: ['operator', 'admin'], body: { playbook: 'check-service' } },
  'POST /api/v1/actions/:id/replay': { may: ['operator', 'admin'], body: {} },
  'POST /api/v1/actions/:id/dismiss': { may: ['operator', 'admin'], body: { reason: 'a test' } },
  'GET /api/v1/audit': { may: ['auditor', 'admin'] },
  'GET /api/v1/audit/checkpoint': { may: ['auditor', 'admin'] },
  // Those below recognise their callers themselves: an operator's token is none of theirs.
  'POST /api/v1/agents/enroll': { may: [], body: ENROLLMENT },
  'POST /api/v1/agents/heartbeat': { may: [], body: {} },
};

let plane: TestControlPlane;
let app: FastifyInstance;
const tokens = new Map<Role, string>();
let haltId: string; // of a playbook that is not asked for here

beforeAll(async () => {
  plane = await createTestControlPlane();
  const people = [
    ...ROLES.map((role) => ({ name: `the-${role}`, roles: [role] })),
    { name: 'asks', roles: ['operator' as const] },
  ];
  plane.config.principals = new Map(
    people.map(({ name, roles }) => [name, { name, roles, slackUserId: null, groups: [] }]),
  );
  for (const role of ROLES) {
    const made = await createToken(plane.ctx, plane.asker('the-admin'), { principal: `the-${role}`, role });
    tokens.set(role, made.token);
  }
  await signNextCheckpoint(plane.ctx);
  const halt = await declareHalt(plane.ctx, plane.asker('the-admin'), { reason: 'a test', playbook: 'clear-logs' });
  haltId = String(halt.id);
  app = await createApi({ ctx: plane.ctx });
  await plane.startWorker();
});

afterAll(async () => {
  await app.close();
  await plane.stop();
});

/** A fresh pending action of somebody else's for each call, so that nobody meets what another did. */
async function prepare(isDeadLetter: boolean): Promise<{ server: string; action: string }> {
  const server = await insertTestServer(plane.ctx, { isPaused: true });
  const { token } = await createToken(plane.ctx, plane.asker('the-admin'), { principal: 'asks', role: 'operator' });
  const response = await app.inject({
    method: 'POST',
    url: '/api/v1/actions',
    headers: { authorization: `Bearer ${token}` },
    payload: requestFor(server.name),
  });
  const { id } = response.json<{ id: string }>();
  const kept = plane.ctx.database.kysely.updateTable('actions').set({ dead_letter: 'open' }).where('id', '=', id);
  if (isDeadLetter) await kept.execute();
  return { server: server.name, action: id };
}

function idFor(pattern: string, made: { server: string; action: string }): string {
  if (pattern.includes('/halts/')) return haltId;
  return pattern.includes('/servers/') ? made.server : made.action;
}

const requestFor = (server: string) => ({ server, playbook: 'check-service', params: { service: 'nginx' } });

async function call(route: string, token: string | undefined): Promise<number> {
  const [method = '', pattern = ''] = route.split(' ');
  const { server, action } = await prepare(/replay|dismiss/.test(route));
  const { body } = ROUTES[route] ?? { may: [] };
  const named = body === 'request' ? requestFor(server) : body;
  const response = await app.inject({
    method: method as 'GET',
    url: pattern.replace(':id', idFor(pattern, { server, action })),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(named === undefined ? {} : { payload: named as object }),
  });
  return response.statusCode;
}

describe('routes × roles', () => {
  test('every registered route is written down here', () => {
    const registered = app.medicRoutes
      .filter(({ url }) => !url.startsWith('/docs'))
      .map(({ method, url }) => `${method} ${url}`);
    expect(registered.toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  });

  test('a route that does not say who may call it cannot be registered', async () => {
    const careless = async (instance: FastifyInstance): Promise<void> => {
      instance.get('/api/v1/careless', () => ({}));
      return Promise.resolve();
    };
    await expect(createApi({ ctx: plane.ctx, plugins: [careless] })).rejects.toThrow(/does not say who may call it/);
  });

  for (const [route, { may, withoutToken = 401 }] of Object.entries(ROUTES)) {
    const isOwn = route.includes('/agents/');
    for (const role of ROLES) {
      const isAllowed = may.includes(role);
      test(`${role} ${isAllowed ? 'may' : 'may not'} ${route}`, async () => {
        const status = await call(route, tokens.get(role));
        const isHidden = role === 'automation' && route.startsWith('GET /api/v1/actions/:id');
        if (isAllowed) expect([200, 201]).toContain(status);
        else if (isOwn) expect(status).toBe(401);
        else expect(status).toBe(isHidden ? 404 : 403);
      });
    }
    test(`nobody’s call of ${route} is answered ${withoutToken}`, async () => {
      expect(await call(route, undefined)).toBe(withoutToken);
      const stranger = withoutToken === 200 && route !== 'GET /metrics' ? 200 : 401;
      expect(await call(route, `medic_${'A'.repeat(43)}`)).toBe(stranger);
    });
  }
});
