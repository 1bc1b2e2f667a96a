import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { decodeJwt } from 'jose';
import { createApi } from '../../api/create-api.ts';
import { mintAgentToken } from '../../protocol/agent-jwt.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { SigningKey } from '../../protocol/keys.ts';
import type { CommandPayload } from '../../protocol/messages.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { beginRun } from '../support/kept-results.ts';
import { poll } from '../support/poll.ts';
import { createResult } from '../support/scripted-agent.ts';
import { createDice } from '../support/seeded.ts';
import { countOf, keepCounts, repeat, STRESS_TIMEOUT_MS } from '../support/stress.ts';

const REPLAYS = countOf({ usual: 500, stress: 50_000 }); // in each of the two tests
const AT_ONCE = 10;

interface Message {
  path: 'enroll' | 'heartbeat';
  authorization: string;
  body: Record<string, unknown>;
}

let plane: TestControlPlane;
let app: FastifyInstance;
let url: string;
let key: SigningKey;
let serverId: string;
const captured: Message[] = [];
beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  app = await createApi({ ctx: plane.ctx, requestsPerMinute: Number.MAX_SAFE_INTEGER });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  key = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
});
afterAll(async () => {
  await app.close();
  await plane.stop();
});

async function send({ path, authorization, body }: Message) {
  const response = await fetch(`${url}/api/v1/agents/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

/** As the agent sends it, on a wire that somebody reads. */
async function say(path: Message['path'], body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const message = { path, authorization: `Bearer ${await mint()}`, body };
  captured.push(message);
  const { status, json } = await send(message);
  expect(status).toBe(path === 'enroll' ? 201 : 200);
  return json;
}

const mint = (): Promise<string> =>
  mintAgentToken({
    serverId: serverId ?? 'nobody',
    privateKey: key.privateKey,
    kid: key.publicKey.kid,
    nowMs: Date.now(),
  });

let beat = 0;
const startedAt = new Date().toISOString();
const heartbeat = (said: object = {}): Record<string, unknown> => ({
  ...{ protocol: 1, session: { started_at: startedAt, beat: (beat += 1) }, agent_version: '1', boot_id: 'b' },
  ...{ uptime_s: 1, load: 0, wait_s: 0, running: [], results: [], ...said },
});

async function fetchCommand(): Promise<CommandPayload> {
  const jws = await poll('a command', async () => {
    const { commands } = await say('heartbeat', heartbeat());
    return (commands as string[])[0];
  });
  return decodeJwt<CommandPayload>(jws) as CommandPayload;
}

/** Enrolment, and actions that complete, fail, are refused, refused for now, and reported once more and otherwise. */
async function playTraffic(): Promise<void> {
  const { token } = await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: 'web-1' });
  const { x } = key.publicKey;
  const publicKey = { kty: 'OKP', crv: 'Ed25519', x };
  const told = { hostname: 'h', public_key: publicKey, agent_version: '1', os: 'linux', playbooks: [] };
  serverId = String((await say('enroll', { protocol: 1, token, ...told }))['server_id']);
  const ends = [
    {},
    { status: 'failed', exit_code: 3 },
    { status: 'refused', exit_code: null, code: 'not_allowed_here' },
  ];
  for (const end of ends) {
    const request = { server: 'web-1', playbook: 'restart-service', params: { service: 'nginx' } };
    const { id } = await requestAction(plane.ctx, plane.asker('ana'), request);
    const command = await fetchCommand();
    const passing = { status: 'refused', exit_code: null, code: 'outside_window' };
    if ('code' in end) await say('heartbeat', heartbeat({ results: [createResult(command, passing)] }));
    const running = [{ command_id: command.command_id, started_at: startedAt, step: 1, steps: 1 }];
    await say('heartbeat', heartbeat({ running }));
    await say('heartbeat', heartbeat({ results: [createResult(command, end)] }));
    const isEnded = async (): Promise<boolean> => {
      const { status } = await getAction(plane.ctx, plane.asker('ana'), id);
      return ['completed', 'failed'].includes(status);
    };
    await poll('the action to end', isEnded);
    await say('heartbeat', heartbeat({ results: [createResult(command, { attempt: 7 }), { nonsense: true }] }));
  }
}

/** Every row there is; of the server only what its agent does not say anew with each heartbeat. */
async function readState(): Promise<unknown> {
  const { pool } = plane.ctx.database;
  const tables = ['actions', 'decisions', 'commands', 'results', 'audit_events', 'agent_keys', 'enrollment_tokens'];
  const rows = await Promise.all(
    tables.map(async (table) => (await pool.query(`select * from ${table} order by 1`)).rows),
  );
  const servers = await pool.query('select id, name, tags, paused, next_seq, revoked_at, playbooks from servers');
  return { rows, servers: servers.rows };
}

test(
  `${REPLAYS} replays of an agent's messages, in any order, change nothing`,
  async () => {
    await playTraffic();
    expect(captured.length).toBeGreaterThanOrEqual(14);
    const before = await readState();
    const dice = createDice(1);
    const session = await plane.ctx.database.pool.query(
      'select session_started_at, session_beat, last_seen_at from servers',
    );
    await repeat({ count: REPLAYS, atOnce: AT_ONCE }, async () => {
      const { status, json } = await send(dice.pick(captured));
      expect(['stale_heartbeat', 'invalid_enrollment_token', 'unauthenticated', 'too_many_failures']).toContain(
        json['code'],
      );
      expect([401, 409, 429]).toContain(status);
    });
    const after = await plane.ctx.database.pool.query(
      'select session_started_at, session_beat, last_seen_at from servers',
    );
    expect(after.rows).toEqual(session.rows);
    expect(await readState()).toEqual(before);
  },
  STRESS_TIMEOUT_MS,
);

test(
  `${REPLAYS} results and running commands, said again in new heartbeats change nothing`,
  async () => {
    const before = await readState();
    const run = beginRun(2);
    const dice = createDice(2);
    const heartbeats = captured.filter(({ path }) => path === 'heartbeat').map(({ body }) => body);
    await repeat({ count: REPLAYS, atOnce: AT_ONCE }, async () => {
      const [first, second] = [dice.pick(heartbeats), dice.pick(heartbeats)];
      const said = {
        running: first['running'],
        results: [first, second].flatMap((body) => body['results'] as object[]),
      };
      const { status } = await send({
        path: 'heartbeat',
        authorization: `Bearer ${await mint()}`,
        body: heartbeat(said),
      });
      expect([200, 409]).toContain(status); // of those at once, the older ones come too late
    });
    expect(await readState()).toEqual(before);
    keepCounts('replayed-heartbeats', { run, counts: { replays: REPLAYS } });
  },
  STRESS_TIMEOUT_MS,
);
