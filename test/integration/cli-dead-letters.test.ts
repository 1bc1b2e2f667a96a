import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { exchangeHeartbeat } from '../../services/agents/exchange-heartbeat.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import type { Run } from '../support/run-cli.ts';
import { runCli } from '../support/run-cli.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

const RUN_MS = 60_000; // some processes each, on busy cores
const SENTENCE = /^[^\n]+ \([a-z_]+\)\n$/;

let plane: TestControlPlane;
let app: FastifyInstance;
let url: string;
const tokens: Record<string, string> = {};
let server: { id: string; name: string };
let agent: ReturnType<typeof createScriptedAgent>;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  app = await createApi({ ctx: plane.ctx });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  for (const [principal, role] of [['ana', 'operator'] as const, ['cid', 'approver'] as const]) {
    tokens[principal] = (await createToken(plane.ctx, plane.asker('root'), { principal, role })).token;
  }
});
beforeEach(async () => {
  server = await insertTestServer(plane.ctx);
  agent = createScriptedAgent(plane.ctx, server.id);
});
afterAll(async () => {
  await app.close();
  await plane.stop();
});

const as = (who: string, ...args: string[]): Promise<Run> =>
  runCli(args, { MEDIC_URL: url, MEDIC_TOKEN: tokens[who] ?? '' });

function parse(run: Run): Record<string, unknown> {
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

const idsOf = (page: Record<string, unknown>): string[] => (page['items'] as { id: string }[]).map(({ id }) => id);

/** Its agent fetches what is next, and says that it failed. */
async function failNext(id: string): Promise<void> {
  const command = await agent.fetchCommand();
  expect(command.action_id).toBe(id);
  const result = { status: 'failed', exit_code: 3, stderr: 'no such unit\n', stderr_bytes: 13 };
  await agent.beatOnce({ results: [createResult(command, result)] });
  const { kysely } = plane.ctx.database;
  await poll('the failure', async () => {
    const row = await kysely.selectFrom('actions').select('dead_letter').where('id', '=', id).executeTakeFirst();
    return row?.dead_letter === 'open';
  });
}

/** The id of an action that has failed. */
async function makeDeadLetter(playbook = 'restart-service'): Promise<string> {
  const input = { server: server.id, playbook, params: { service: 'nginx' } };
  const { id } = await requestAction(plane.ctx, plane.asker('ana'), input);
  await failNext(id);
  return id;
}

test(
  'what was given up on is listed, shown, replayed and dismissed',
  async () => {
    const first = await makeDeadLetter();
    const second = await makeDeadLetter();
    const listed = await as('ana', 'dead-letters', 'list');
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ID +PLAYBOOK +SERVER +FAILURE_CODE/) });
    expect(listed.stdout).toMatch(new RegExp(`${second}[^]*${first}`)); // newest first
    const page = parse(await as('ana', 'dead-letters', 'list', '--limit', '1', '--json'));
    expect(idsOf(page)).toEqual([second]);
    const rest = parse(await as('ana', 'dead-letters', 'list', '--after', String(page['next']), '--json'));
    expect(idsOf(rest)).toEqual([first]);
    expect((await as('ana', 'dead-letters', 'list', '--code', 'timed_out')).stdout).toContain('no dead letter');

    const { stdout } = await as('ana', 'dead-letters', 'show', first);
    for (const fact of ['restart-service', 'exit code 3', 'no such unit', 'dead letter'])
      expect(stdout).toContain(fact);

    const replayed = parse(await as('ana', 'dead-letters', 'replay', first, '--reason', 'once more', '--json'));
    expect(replayed).toMatchObject({ replay_of: first, reason: 'once more', sentence: expect.any(String) });
    const again = await as('ana', 'dead-letters', 'replay', first);
    expect([again.code, again.stderr]).toEqual([3, expect.stringMatching(SENTENCE)]);
    expect(again.stderr).toContain('(not_a_dead_letter)');
    await failNext(String(replayed['id']));

    expect(await as('ana', 'dead-letters', 'dismiss', second)).toMatchObject({ code: 2 }); // why?
    const dismissed = await as('ana', 'dead-letters', 'dismiss', second, '--reason', 'the server is gone');
    expect(dismissed).toMatchObject({ code: 0, stdout: expect.stringContaining('It is dismissed.') });
    expect(idsOf(parse(await as('ana', 'dead-letters', 'list', '--json')))).toEqual([replayed['id']]);
  },
  RUN_MS,
);

test(
  'many are replayed by a filter, with a limit, and never all of them',
  async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await makeDeadLetter('check-service'));
    const refused = await as('ana', 'dead-letters', 'replay-many');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('(no_targets)')]);
    const which = ['--playbook', 'check-service', '--server', server.name];
    const wrong = await as('ana', 'dead-letters', 'replay-many', ...which, '--limit', 'many');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(SENTENCE) });
    expect(await as('cid', 'dead-letters', 'replay-many', ...which)).toMatchObject({ code: 3 });
    const done = parse(await as('ana', 'dead-letters', 'replay-many', ...which, '--limit', '2', '--json'));
    const made = done['items'] as { id: string; replayed_as: string }[];
    expect(made.map(({ id }) => id)).toEqual(ids.slice(1).toReversed()); // the latest first
    const { stdout } = await as('ana', 'dead-letters', 'replay-many', ...which);
    expect(stdout).toMatch(new RegExp(`^${ids[0] ?? ''}  \\S+  check-service on ${server.name} is asked for again`));
  },
  RUN_MS,
);

test(
  'what is held back, and a damaged journal, are told by `queue` and `servers`',
  async () => {
    plane.config.limits = { ...plane.config.limits, holdBacks: [{ playbook: '*', failures: 1 }] };
    const id = await makeDeadLetter();
    const { stdout } = await as('ana', 'queue');
    expect(stdout).toMatch(
      new RegExp(
        `\nHeld back: restart-service on ${server.name}, since \\S+, failed once; medic dead-letters show ${id.slice(0, 8)}`,
      ),
    );
    const refused = await as('ana', 'action', 'request', 'restart-service', server.name, 'service=nginx');
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringMatching(SENTENCE)]);
    expect(refused.stderr).toContain('(held_back)');

    const found_at = '2026-01-31T12:00:00.000Z';
    const session = { started_at: new Date(Date.now() + 1_000).toISOString(), beat: 1 };
    const body = {
      ...{ protocol: 1, session, agent_version: '1', boot_id: 'boot', uptime_s: 1, load: 0, wait_s: 0 },
      ...{ running: [], results: [], journal_damage: { found_at, lines: 2 } },
    };
    await exchangeHeartbeat(plane.ctx, { serverId: server.id, signal: new AbortController().signal, body });
    const told = `damaged, found ${found_at}: 2 lines cannot be read`;
    expect((await as('ana', 'servers', 'list')).stdout).toContain(told);
    expect((await as('ana', 'servers', 'show', server.name)).stdout).toContain(`journal    ${told}`);
    const shown = parse(await as('ana', 'servers', 'show', server.name, '--json'));
    expect(shown).toMatchObject({ journal_damaged_at: found_at, journal_damaged_lines: 2 });
  },
  RUN_MS,
);
