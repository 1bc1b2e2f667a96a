import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { generatePrivateKeyPem } from '../../protocol/keys.ts';
import { bundleAgent } from '../../sandbox/bundle-agent.ts';
import { takePort } from '../../sandbox/ports.ts';
import { createTestDatabase } from './database.ts';
import type { MedicProcess } from './medic-process.ts';
import { startMedicProcess, watch } from './medic-process.ts';
import { poll } from './poll.ts';
import { cleanEnvironment } from './start-process.ts';
import { readStack } from './stack.ts';

type Part = 'api' | 'worker' | 'server';

export interface ActionJson {
  id: string;
  status: string;
  exit_code: number | null;
  failure_code: string | null;
}

/** The control plane and one agent as processes of their own, to be killed one by one. */
export interface ProcessStack {
  url: string;
  /** The repair writes a line here when it starts and when it ends … */
  marker: string;
  /** … and ends only once this file is there. */
  gate: string;
  /** What its processes are started with. */
  env: Readonly<Record<string, string>>;
  createToken(input: { principal: string; role: string }): Promise<string>;
  request(): Promise<ActionJson>;
  read(id: string): Promise<ActionJson>;
  /** One call of the API by somebody of the configuration, in one of their roles; rejects where it is refused. */
  as(asker: { principal: string; role: string }): Promise<ReturnType<typeof createClient>>;
  kill(name: Part | 'agent'): Promise<void>;
  restart(name: Part | 'agent'): Promise<void>;
  stop(): Promise<void>;
}

const STEP = join(import.meta.dirname, '..', 'fixtures', 'chaos', 'step.mjs');
const MEDIC_YAML = `version: 1
principals:
  ana: { roles: [operator, approver] }
  bob: { roles: [operator, approver] }
  eve: { roles: [auditor] }
  root: { roles: [admin] }
`;

export async function startProcessStack(input: {
  parts: readonly Part[];
  /** Over the addresses of this run's servers. */
  env?: Readonly<Record<string, string>>;
}): Promise<ProcessStack> {
  const folder = mkdtempSync(join(tmpdir(), 'medic-processes-'));
  const test = await createTestDatabase();
  const { port } = await takePort();
  const places = await prepareFolder(folder, { databaseUrl: test.url, port, env: input.env ?? {} });
  const running = new Map<string, MedicProcess>();
  const start = async (name: Part | 'agent'): Promise<void> => {
    const child = name === 'agent' ? startAgent(places, ['run']) : startMedicProcess([name], places.env);
    running.set(name, child);
    if (name === 'api' || name === 'server') await waitUntilReady(places.url, child);
  };
  const stop = async (): Promise<void> => {
    for (const child of [...running.values()].reverse()) await child.kill('SIGTERM');
    await test.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const part of input.parts) await start(part);
    await enroll(places);
    await start('agent');
    const call = createClient(places.url, await createToken(places.env, { principal: 'ana', role: 'operator' }));
    const body = { server: 'web-1', playbook: 'gated-repair', params: {} };
    return {
      ...places,
      createToken: (wanted) => createToken(places.env, wanted),
      as: async (asker) => createClient(places.url, await createToken(places.env, asker)),
      request: () => call('POST', '/api/v1/actions', body) as Promise<ActionJson>,
      read: (id) => call('GET', `/api/v1/actions/${id}`) as Promise<ActionJson>,
      kill: async (name) => running.get(name)?.kill('SIGKILL'),
      restart: start,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Places {
  url: string;
  marker: string;
  gate: string;
  agentFile: string;
  env: Record<string, string>;
  agentEnv: Record<string, string>;
}

async function prepareFolder(
  folder: string,
  input: { databaseUrl: string; port: number; env: Readonly<Record<string, string>> },
): Promise<Places> {
  const at = (...names: string[]): string => join(folder, ...names);
  const marker = at('work', 'marker');
  const gate = at('work', 'gate');
  for (const name of ['work', 'config/playbooks', 'agent-playbooks', 'home']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('config', 'medic.yaml'), MEDIC_YAML);
  for (const directory of ['config/playbooks', 'agent-playbooks']) {
    writeFileSync(at(directory, 'gated-repair.yaml'), describeRepair(marker, gate));
  }
  writeFileSync(at('agent-playbooks', 'allow.yaml'), stringify({ version: 1, allow: { 'gated-repair': {} } }));
  const { outfile } = await bundleAgent({ outfile: at('medic-agent.mjs') });
  const { temporalAddress, temporalNamespace } = readStack();
  const url = `http://127.0.0.1:${input.port}`;
  const env = {
    HOME: at('home'),
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? folder, '.cache'),
    DATABASE_URL: input.databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: temporalNamespace,
    MEDIC_LISTEN: `127.0.0.1:${input.port}`,
    MEDIC_CONFIG: at('config'),
    MEDIC_SIGNING_KEY: generatePrivateKeyPem().replaceAll('\n', '\\n'),
    MEDIC_SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    MEDIC_LOG_LEVEL: 'warn',
    ...input.env,
  };
  const agentEnv = {
    HOME: at('home'),
    MEDIC_CONTROL_PLANE_URL: url,
    MEDIC_AGENT_DIR: at('agent'),
    MEDIC_AGENT_PLAYBOOKS: at('agent-playbooks'),
  };
  return { url, marker, gate, agentFile: outfile, env, agentEnv };
}

function startAgent({ agentFile, agentEnv }: Places, args: readonly string[]): MedicProcess {
  const env = { ...cleanEnvironment(), ...agentEnv };
  return watch(spawn(process.execPath, [agentFile, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function enroll(places: Places): Promise<void> {
  const admin = createClient(places.url, await createToken(places.env, { principal: 'root', role: 'admin' }));
  const made = await admin('POST', '/api/v1/servers/enrollment-tokens', { server_name: 'web-1' });
  const enrolled = startAgent(places, ['enroll', '--token', String((made as { token: string }).token)]);
  if ((await enrolled.ended) !== 0) throw new Error(`the agent could not enrol: ${enrolled.printed()}`);
}

function describeRepair(marker: string, gate: string): string {
  return stringify({
    name: 'gated-repair',
    title: 'A repair that waits at a gate',
    risk: 'low',
    timeout: '5m',
    steps: [{ run: [process.execPath, STEP, marker, gate] }],
  });
}

async function waitUntilReady(url: string, child: MedicProcess): Promise<void> {
  let end: unknown;
  void child.ended.then((how) => (end = how ?? 'nothing'));
  await poll(`${url} to be ready`, async () => {
    if (end !== undefined) throw new Error(`medic ended with ${String(end)}: ${child.printed()}`);
    return fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  });
}

async function createToken(
  env: Readonly<Record<string, string>>,
  input: { principal: string; role: string },
): Promise<string> {
  const made = startMedicProcess(
    ['token', 'create', '--principal', input.principal, '--role', input.role, '--json'],
    env,
  );
  if ((await made.ended) !== 0) throw new Error(`no token: ${made.printed()}`);
  const token = /medic_[\w-]+/.exec(made.printed())?.[0];
  if (token === undefined) throw new Error(`no token in: ${made.printed()}`);
  return token;
}

function createClient(url: string, token: string) {
  return async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
}
