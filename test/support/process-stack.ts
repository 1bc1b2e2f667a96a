import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CrashPoint } from '../../domain/durable-step.ts';
import { takePort } from '../../sandbox/ports.ts';
import type { Call } from './api-caller.ts';
import { createClient, createToken } from './api-caller.ts';
import { createTestDatabase } from './database.ts';
import type { TestDatabase } from './database.ts';
import type { MedicProcess } from './medic-process.ts';
import { startMedicProcess, watch } from './medic-process.ts';
import { poll } from './poll.ts';
import { clockFile, crashEnv, crashFile, prepareFolder } from './process-folder.ts';
import type { Places, Playbooks } from './process-folder.ts';
import { cleanEnvironment } from './start-process.ts';

/** `api 2` and `worker 2` are second processes of the same part; `agent` is the one of web-1. */
export type Part = 'api' | 'worker' | 'bot' | 'server' | 'api 2' | 'worker 2';
export type ProcessName = Part | 'agent' | `agent ${string}`;

export interface ActionJson {
  id: string;
  status: string;
  exit_code: number | null;
  failure_code: string | null;
}

/** The control plane and its agents as processes of their own, to be killed one by one. */
export interface ProcessStack extends Places {
  database: TestDatabase['database'];
  /** What the owner of web-1 has in the shell. */
  agentEnv: Readonly<Record<string, string>>;
  createToken(input: { principal: string; role: string }): Promise<string>;
  request(): Promise<ActionJson>;
  read(id: string): Promise<ActionJson>;
  /** One call of the API by somebody of the configuration, in one of their roles; rejects where it is refused. */
  as(asker: { principal: string; role: string; part?: Part }): Promise<Call>;
  /** How long the first API took from its start until it served. */
  startMs: number;
  /** The address of an API. */
  urlOf(part: Part): string;
  /** Makes a place for an agent, without starting it; `via` is the API that it calls. */
  enroll(server: string, via?: Part): Promise<void>;
  /** Which API an agent's own commands call. */
  callsApi(server: string, via: Part): void;
  agentDir(server: string): string;
  /** All that have a place here. */
  servers(): string[];
  /** `medic …`, or an agent's own command, once; with `crashAt` it is to die there. */
  runMedic(
    args: readonly string[],
    options?: { crashAt?: CrashPoint; env?: Readonly<Record<string, string>> },
  ): Promise<MedicProcess>;
  runAgent(server: string, args: readonly string[], crashAt?: CrashPoint): Promise<MedicProcess>;
  /** Lets a process die by SIGKILL when it next passes this point. */
  arm(name: ProcessName, point: CrashPoint): void;
  disarm(name: ProcessName): void;
  /** Settles once it, or the process that came after it, has died there; rejects where it never does. */
  crashed(name: ProcessName, point: CrashPoint): Promise<void>;
  kill(name: ProcessName): Promise<void>;
  /** SIGSTOP and SIGCONT: it is frozen, and goes on. */
  freeze(name: ProcessName): void;
  wake(name: ProcessName): void;
  /** From now on the clock of a server is off by so much, for its agent. */
  stepClock(server: string, offMs: number): void;
  /** Returns once an API answers; the others may still be on their way. `bootId`: as if the machine was started anew. */
  restart(name: ProcessName, options?: { bootId?: string }): Promise<void>;
  printed(name: ProcessName): string;
  stop(): Promise<void>;
}

export interface StackOptions {
  parts: readonly Part[];
  /** Each with an agent that runs; web-1 alone where nothing is said. */
  servers?: Readonly<Record<string, Part>>;
  /** Where the agent of a server calls instead: a way to the API that can be cut. */
  agentUrls?: Readonly<Record<string, string>>;
  /** The superuser's address of a PostgreSQL that is not the one of this run. */
  postgresUrl?: string;
  /** Over the addresses of this run's servers. */
  env?: Readonly<Record<string, string>>;
  medicYaml?: string;
  playbooks?: (places: Pick<Places, 'marker' | 'gate'>) => Playbooks;
  /** What a part gets of its own, and the last moment to change what stands in the folder. */
  prepare?: (places: Places) => Partial<Record<Part, Readonly<Record<string, string>>>>;
}

interface State {
  places: Places;
  test: TestDatabase;
  ports: ReadonlyMap<Part, number>;
  /** Which API the agent of a server calls. */
  servers: Map<string, Part>;
  agentUrls: Readonly<Record<string, string>>;
  running: Map<ProcessName, MedicProcess>;
  envs: Partial<Record<Part, Readonly<Record<string, string>>>>;
}

const DEATH_MS = 180_000; // what takes two seconds on a machine with nothing else to do

export async function startProcessStack(options: StackOptions): Promise<ProcessStack> {
  const folder = mkdtempSync(join(tmpdir(), 'medic-processes-'));
  const test = await createTestDatabase(options.postgresUrl === undefined ? {} : { adminUrl: options.postgresUrl });
  const ports = new Map<Part, number>();
  for (const part of options.parts) ports.set(part, (await takePort()).port);
  const { env = {}, medicYaml, playbooks } = options;
  const [firstApi = 0] = options.parts.filter(isApi).map((part) => ports.get(part) ?? 0);
  const places = await prepareFolder(folder, { databaseUrl: test.url, port: firstApi, env, medicYaml, playbooks });
  const state: State = {
    places,
    test,
    ports,
    servers: new Map(),
    agentUrls: options.agentUrls ?? {},
    running: new Map(),
    envs: options.prepare?.(places) ?? {},
  };
  try {
    let startMs = 0;
    for (const part of options.parts) {
      const before = performance.now();
      await start(state, part);
      if (isApi(part) && startMs === 0) startMs = performance.now() - before;
    }
    const [api = 'api'] = options.parts.filter(isApi);
    const servers = Object.entries(options.servers ?? { 'web-1': api });
    const admin = await callAs(state, { principal: 'root', role: 'admin' });
    for (const [server, via] of servers) await enroll(state, { server, via, admin });
    for (const [server] of servers) await start(state, agentOf(server));
    return { ...assemble(state, await callAs(state, { principal: 'ana', role: 'operator' })), startMs };
  } catch (error) {
    await stop(state);
    throw error;
  }
}

function assemble(state: State, call: Call): Omit<ProcessStack, 'startMs'> {
  const { places, test, running } = state;
  const body = { server: 'web-1', playbook: 'gated-repair', params: {} };
  return {
    ...places,
    database: test.database,
    agentEnv: agentEnvOf(state, 'web-1'),
    createToken: (asker) => createToken(places.env, asker),
    as: (asker) => callAs(state, asker),
    request: () => call('POST', '/api/v1/actions', body) as Promise<ActionJson>,
    read: (id) => call('GET', `/api/v1/actions/${id}`) as Promise<ActionJson>,
    urlOf: (part) => urlOf(state, part),
    enroll: async (server, via = 'api') => {
      const admin = await callAs(state, { principal: 'root', role: 'admin', part: via });
      await enroll(state, { server, via, admin });
    },
    callsApi: (server, via) => void state.servers.set(server, via),
    servers: () => [...state.servers.keys()],
    agentDir: (server) => join(places.folder, server),
    runMedic: (args, { crashAt, env: own = {} } = {}) =>
      runOnce(state, crashAt, (env) => startMedicProcess(args, { ...places.env, ...own, ...env })),
    runAgent: (server, args, crashAt) => runOnce(state, crashAt, (env) => spawnAgent(state, server, args, env)),
    arm: (name, point) => {
      arm(places, name, point);
    },
    disarm: (name) => {
      rmSync(crashFile(places, name), { force: true });
    },
    crashed: async (name, point) => {
      const fired = `${crashFile(places, name)}.fired`;
      await poll(`${name} to die at ${point}`, () => existsSync(fired), { timeoutMs: DEATH_MS });
      await assertCrashed(state, { name, point, child: running.get(name) });
    },
    kill: async (name) => running.get(name)?.kill('SIGKILL'),
    freeze: (name) => void process.kill(pidOf(state, name), 'SIGSTOP'),
    wake: (name) => void process.kill(pidOf(state, name), 'SIGCONT'),
    stepClock: (server, offMs) => {
      const file = clockFile(places, agentOf(server));
      writeFileSync(`${file}.draft`, String(offMs));
      renameSync(`${file}.draft`, file);
    },
    restart: (name, given = {}) => start(state, name, given.bootId),
    printed: (name) => running.get(name)?.printed() ?? '',
    stop: () => stop(state),
  };
}

const isApi = (part: Part): boolean => part.startsWith('api') || part === 'server';
const agentOf = (server: string): ProcessName => (server === 'web-1' ? 'agent' : `agent ${server}`);
const serverOf = (name: ProcessName): string => (name === 'agent' ? 'web-1' : name.replace('agent ', ''));

function pidOf({ running }: State, name: ProcessName): number {
  const child = running.get(name);
  if (child === undefined) throw new Error(`${name} does not run`);
  return child.pid;
}

async function start(state: State, name: ProcessName, bootId?: string): Promise<void> {
  const { places, running, ports } = state;
  const env = crashEnv(places, name, bootId);
  if (name.startsWith('agent')) {
    running.set(name, spawnAgent(state, serverOf(name), ['run'], env));
    return;
  }
  const part = name as Part;
  const listen = { MEDIC_LISTEN: `127.0.0.1:${String(ports.get(part) ?? 0)}` };
  const child = startMedicProcess([part.split(' ')[0] ?? ''], {
    ...places.env,
    ...listen,
    ...state.envs[part],
    ...env,
  });
  running.set(name, child);
  if (isApi(part)) await waitUntilReady(urlOf(state, part), child);
}

/** Also returns where it died of what was armed: whoever armed it looks. */
async function waitUntilReady(url: string, child: MedicProcess): Promise<void> {
  let end: unknown;
  void child.ended.then((how) => (end = how ?? 'nothing'));
  await poll(`${url} to be ready`, async () => {
    if (end === 'SIGKILL') return true;
    if (end !== undefined) throw new Error(`medic ended with ${String(end)}: ${child.printed()}`);
    return fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  });
}

function urlOf({ ports }: Pick<State, 'ports'>, part: Part): string {
  return `http://127.0.0.1:${String(ports.get(part) ?? 0)}`;
}

function spawnAgent(
  state: State,
  server: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): MedicProcess {
  const own = agentEnvOf(state, server);
  const { agentFile } = state.places;
  const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[];
  return watch(
    spawn(process.execPath, [agentFile, ...args], { env: { ...cleanEnvironment(), ...own, ...env }, stdio }),
  );
}

function agentEnvOf({ places, servers, ports, agentUrls }: State, server: string): Readonly<Record<string, string>> {
  const { folder } = places;
  return {
    HOME: join(folder, 'home'),
    MEDIC_CONTROL_PLANE_URL: agentUrls[server] ?? urlOf({ ports }, servers.get(server) ?? 'api'),
    MEDIC_AGENT_DIR: join(folder, server),
    MEDIC_AGENT_PLAYBOOKS: join(folder, 'agent-playbooks'),
  };
}

async function enroll(state: State, { server, via, admin }: { server: string; via: Part; admin: Call }): Promise<void> {
  state.servers.set(server, via);
  const made = await admin('POST', '/api/v1/servers/enrollment-tokens', { server_name: server });
  const enrolled = spawnAgent(state, server, ['enroll', '--token', String((made as { token: string }).token)], {});
  if ((await enrolled.ended) !== 0) throw new Error(`the agent could not enrol: ${enrolled.printed()}`);
}

async function runOnce(
  { places }: State,
  crashAt: CrashPoint | undefined,
  begin: (env: Readonly<Record<string, string>>) => MedicProcess,
): Promise<MedicProcess> {
  const own = `once ${randomUUID()}`;
  if (crashAt !== undefined) arm(places, own, crashAt);
  const child = begin(crashEnv(places, own));
  if (crashAt === undefined) await child.ended;
  else await assertCrashed({ places }, { name: own, point: crashAt, child });
  return child;
}

function arm(places: Places, name: string, point: CrashPoint): void {
  const file = crashFile(places, name);
  rmSync(`${file}.fired`, { force: true });
  writeFileSync(`${file}.draft`, point);
  renameSync(`${file}.draft`, file);
}

async function assertCrashed(
  { places }: Pick<State, 'places'>,
  { name, point, child }: { name: string; point: CrashPoint; child: MedicProcess | undefined },
): Promise<void> {
  const end = await child?.ended;
  const fired = `${crashFile(places, name)}.fired`;
  const died = end === 'SIGKILL' && existsSync(fired) ? readFileSync(fired, 'utf8') : null;
  if (died === point) return;
  throw new Error(`${name} ended with ${String(end)} and not at ${point}: ${child?.printed() ?? 'it never ran'}`);
}

async function stop({ running, test, places }: State): Promise<void> {
  for (const child of [...running.values()].reverse()) {
    await Promise.all([child.kill('SIGTERM'), child.kill('SIGCONT')]); // a frozen one hears the first with the second
  }
  try {
    await test.drop();
  } finally {
    rmSync(places.folder, { recursive: true, force: true });
  }
}

async function callAs(
  state: State,
  { principal, role, part }: { principal: string; role: string; part?: Part },
): Promise<Call> {
  const url = part === undefined ? state.places.url : urlOf(state, part);
  return createClient(url, await createToken(state.places.env, { principal, role }));
}
