import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '../../api/create-api.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import { createCatalog } from '../../playbook/catalog.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

const GRACE_MS = 5_000; // between SIGTERM and SIGKILL, as the agent has it
const END_MS = 30_000; // the grace, and as long again to see what survives SIGKILL

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});
afterAll(() => plane.stop());

const read = (id: string): Promise<ActionView> => getAction(plane.ctx, plane.asker('root'), id);
const cancel = (id: string) => cancelAction(plane.ctx, plane.asker('bob'), { actionId: id, reason: 'the wrong one' });

function reach(id: string, isThere: (action: ActionView) => boolean): Promise<ActionView> {
  return poll(
    `${id} to get there`,
    async () => {
      const action = await read(id);
      return isThere(action) && action;
    },
    { timeoutMs: END_MS },
  );
}

async function ask(server: string, playbook = 'restart-service'): Promise<string> {
  const params = playbook === 'restart-service' ? { service: 'nginx' } : {};
  return (await requestAction(plane.ctx, plane.asker('ana'), { server, playbook, params })).id;
}

describe('what is cancelled before it runs', () => {
  const isApproved = ({ status }: ActionView): boolean => status === 'approved';

  test('ends at once: waiting for people, half approved, approved, or queued behind another', async () => {
    const paused = await insertTestServer(plane.ctx, { isPaused: true });
    const pending = await ask(paused.name);
    const two = { ...DEFAULT_TERMS, when: {}, approvals: 2, from: null };
    const { rules } = plane.config;
    plane.config.rules = [two];
    const half = await ask(paused.name);
    plane.config.rules = rules;
    await decideAction(plane.ctx, plane.asker('cid'), { actionId: half, kind: 'approve' });
    const server = await insertTestServer(plane.ctx);
    const first = await ask(server.name);
    await reach(first, isApproved);
    const queued = await ask(server.name);
    await reach(queued, ({ queuedBehind }) => queuedBehind !== null);
    for (const id of [pending, half, queued, first]) {
      expect((await cancel(id)).action).toMatchObject({ status: 'cancelled', cancelledBy: 'bob', failureCode: null });
    }
    expect((await createScriptedAgent(plane.ctx, server.id).beatOnce()).commands).toEqual([]);
    await expect(cancel(first)).rejects.toMatchObject({ code: 'already_ended' });
  });

  test('is asked back where it was handed out, and ends by the word of its agent alone', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const id = await ask(server.name);
    const command = await agent.fetchCommand();
    expect((await cancel(id)).action.status).toBe('approved');
    expect(await agent.beatOnce()).toMatchObject({ commands: [], cancel: [command.command_id] });
    // It had been received, and no process of it was started yet.
    const result = createResult(command, { status: 'cancelled', exit_code: null, started_at: null });
    await agent.beatOnce({ running: [command.command_id] });
    await agent.beatOnce({ results: [result] });
    expect(await reach(id, ({ status }) => status === 'cancelled')).toMatchObject({ cancelledBy: 'bob' });
  });
});

/** Each writes the process that has to die to `$0.pid`. */
const REPAIRS = {
  // leaves its session, and with it its process group
  'escaping-repair': 'setsid sh -c \'echo $$ > "$0.pid"; exec sleep 300\' "$0" & exec sleep 300',
  'stubborn-repair': 'trap \'echo told >> "$0.log"\' TERM; echo $$ > "$0.pid"; while :; do sleep 0.1; done',
  'unkillable-repair': 'echo $$ > "$0.pid"; exec sleep 300',
} as const;
type RepairName = keyof typeof REPAIRS;

/** The kernel refuses the agent's signals, as it does where a process has become another user's. */
const REFUSED = `const kill=process.kill;process.kill=(pid,signal)=>{if(signal)throw Object.assign(new Error(),{code:'EPERM'});return kill(pid,signal)}`;
const WITHOUT_KILL = { through: ['env', `NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(REFUSED)}`] };

describe('what runs with a real agent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'medic-cancel-'));
  const homes: AgentHome[] = [];
  const runs = new Map<RepairName, string>();
  let api: FastifyInstance;

  const pidOf = (name: RepairName): number => Number(readFileSync(join(folder, `${name}.pid`), 'utf8'));

  function isAlive(pid: number): boolean {
    const path = `/proc/${pid}/stat`;
    return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, 'utf8'));
  }

  function writeRepairs(): { file: string; text: string }[] {
    return Object.entries(REPAIRS).map(([name, body]) => {
      const program = join(folder, name);
      writeFileSync(program, `#!/bin/sh\n${body}\n`);
      chmodSync(program, 0o755);
      const steps = `steps:\n  - run: [${program}]\n`;
      return { file: `${name}.yaml`, text: `name: ${name}\ntitle: A repair\nrisk: low\ntimeout: 5m\n${steps}` };
    });
  }

  async function startAgent(url: string, files: ReturnType<typeof writeRepairs>, name: RepairName): Promise<string> {
    const home = createAgentHome();
    homes.push(home);
    for (const { file, text } of files) home.writePlaybook(file.replace('.yaml', ''), text);
    home.writeAllow(`version: 1\nallow:\n  ${name}: {}\n`);
    const { token } = await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: name });
    expect((await home.run(['enroll', '--token', token], url)).code).toBe(0);
    home.start(url, name === 'unkillable-repair' ? WITHOUT_KILL : {});
    return name;
  }

  /** Side by side, as each takes as long as an agent waits for a death. */
  beforeAll(async () => {
    const files = writeRepairs();
    plane.config.playbooks = new Map([...plane.config.playbooks, ...createCatalog(files).playbooks]);
    api = await createApi({ ctx: plane.ctx });
    const url = await api.listen({ host: '127.0.0.1', port: 0 });
    const names = Object.keys(REPAIRS) as RepairName[];
    await Promise.all(
      names.map(async (name) => {
        const id = await ask(await startAgent(url, files, name), name);
        runs.set(name, id);
        await reach(id, ({ status, progress }) => status === 'executing' && progress?.step === 1);
        await poll(`${name} to say who it is`, () => existsSync(join(folder, `${name}.pid`)) && pidOf(name) > 0);
        expect((await cancel(id)).action).toMatchObject({ status: 'executing', cancelledBy: 'bob' });
      }),
    );
  }, 60_000);

  afterAll(async () => {
    for (const name of Object.keys(REPAIRS) as RepairName[]) {
      if (existsSync(join(folder, `${name}.pid`)) && isAlive(pidOf(name))) process.kill(pidOf(name), 'SIGKILL');
    }
    for (const home of homes) await home.remove();
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const endOf = (name: RepairName): Promise<ActionView> =>
    reach(runs.get(name) ?? '', ({ completedAt }) => completedAt !== null);

  test('is cancelled when it is dead, also what ran away into a session of its own', async () => {
    const ended = await endOf('escaping-repair');
    expect(isAlive(pidOf('escaping-repair'))).toBe(false);
    expect(ended).toMatchObject({ status: 'cancelled', cancelledBy: 'bob', failureCode: null, exitCode: null });
  });

  test('is killed after the grace where it ignores SIGTERM, and only then cancelled', async () => {
    const ended = await endOf('stubborn-repair');
    expect(isAlive(pidOf('stubborn-repair'))).toBe(false);
    expect(readFileSync(join(folder, 'stubborn-repair.log'), 'utf8')).toMatch(/^told\n/);
    expect(ended).toMatchObject({ status: 'cancelled', cancelledBy: 'bob', failureCode: null });
    const tookMs = (ended.completedAt?.getTime() ?? 0) - (ended.cancelRequestedAt?.getTime() ?? 0);
    expect(tookMs).toBeGreaterThanOrEqual(GRACE_MS);
  });

  test('has failed where nobody can prove it dead, and the requester hears so', async () => {
    const ended = await endOf('unkillable-repair');
    expect(isAlive(pidOf('unkillable-repair'))).toBe(true);
    expect(ended).toMatchObject({ status: 'failed', cancelledBy: 'bob', failureCode: 'cancel_unconfirmed' });
    const { rows } = await plane.ctx.database.pool.query<{ kind: string }>(
      `select kind from slack_outbox where action_id = $1 and kind in ('notice', 'private') order by kind`,
      [ended.id],
    );
    expect(rows.map(({ kind }) => kind)).toEqual(['notice', 'private']);
  });
});
