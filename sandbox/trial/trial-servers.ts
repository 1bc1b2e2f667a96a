import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join, resolve } from 'node:path';
import { InvalidInputError, UnavailableError } from '../../domain/errors.ts';
import { startGuarded, type GuardedProcess } from '../guarded-process.ts';
import { takePort } from '../ports.ts';
import { endProcess, findProcesses } from '../process-table.ts';
import { writeControlCommand, writeTrialAllow, writeTrialPlaybooks, type TrialPaths } from './trial-playbooks.ts';
import type { UnitSettings } from './unit.ts';

export interface TrialServer {
  name: string;
  services: readonly string[];
  /** The server's own playbooks and allow.yaml: the agent's MEDIC_AGENT_PLAYBOOKS. */
  playbookDir: string;
  /** The agent's MEDIC_AGENT_DIR; created by the agent. */
  agentDir: string;
  logsDir: string;
}

export interface TrialServers {
  servers: readonly TrialServer[];
  paths: TrialPaths;
  /** Address of a service, the same over restarts of it. Throws `unknown_service`. */
  serviceUrl(service: string): string;
  /** Whether the service answers within a second. */
  isHealthy(service: string): Promise<boolean>;
  /** Really breaks it: kills its process, or stops it so that it runs and answers nobody. */
  breakService(service: string, how: 'kill' | 'hang'): Promise<void>;
  stop(): Promise<void>;
}

const READY_MS = 30_000; // two small Nodes, on a machine that is starting everything else too
const HEALTH_MS = 1_000; // on loopback an answer takes milliseconds

/**
 * Starts the trial servers' services under one supervisor, and writes each server's playbooks and allow.yaml. The
 * supervisor and its services end with this process. A service's name is its own among all servers
 * (`shop@web-2` where a second server has a shop). Throws `duplicate_service`, `trial_failed`.
 */
export async function startTrialServers(options: {
  dir: string;
  servers: readonly { name: string; services: readonly string[] }[];
}): Promise<TrialServers> {
  refuseDuplicates(options.servers);
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const dir = realpathSync(resolve(options.dir)); // paths are confined by where they really are
  const paths: TrialPaths = { controlCommand: join(dir, 'bin', 'servicectl'), logsRoot: join(dir, 'logs') };
  await endLeftovers(dir);
  writeControlCommand(paths.controlCommand, dir);
  const servers = options.servers.map((server) => prepareServer(dir, paths, server));
  const units = await assignPorts(servers);
  writeFileSync(join(dir, 'units.json'), JSON.stringify(units, null, 2));
  const supervisor = await startSupervisor(dir);
  const ports = new Map(units.map((unit) => [unit.name, unit.port]));
  return { servers, paths, ...createOperations({ paths, ports }), stop: async () => void (await supervisor.stop()) };
}

function refuseDuplicates(servers: readonly { name: string; services: readonly string[] }[]): void {
  const seen = new Set<string>();
  for (const server of servers) {
    for (const service of server.services) {
      if (seen.has(service)) {
        throw new InvalidInputError(
          `Two trial servers have a service "${service}". Name one ${service}@${server.name}.`,
          {
            code: 'duplicate_service',
          },
        );
      }
      seen.add(service);
    }
  }
}

function prepareServer(
  dir: string,
  paths: TrialPaths,
  server: { name: string; services: readonly string[] },
): TrialServer {
  const playbookDir = join(dir, server.name, 'playbooks');
  const logsDir = join(paths.logsRoot, server.name);
  writeTrialPlaybooks(playbookDir, paths);
  // Written once: from then on it is its owner's, who may try other rules.
  const isNew = !existsSync(join(playbookDir, 'allow.yaml'));
  if (isNew) writeTrialAllow(playbookDir, { ...paths, server: server.name, services: server.services });
  mkdirSync(logsDir, { recursive: true });
  for (const service of server.services) writeOldLog(join(logsDir, `${service}.log.1`));
  return { ...server, playbookDir, logsDir, agentDir: join(dir, server.name, 'agent') };
}

/** So that clear-logs has something to free. */
function writeOldLog(file: string): void {
  if (existsSync(file)) return;
  writeFileSync(file, '2026-01-01T00:00:00.000Z GET /healthz\n'.repeat(10_000));
}

async function assignPorts(servers: readonly TrialServer[]): Promise<UnitSettings[]> {
  const units: UnitSettings[] = [];
  for (const server of servers) {
    for (const name of server.services) {
      units.push({ name, port: (await takePort()).port, logsDir: server.logsDir });
    }
  }
  return units;
}

/** A supervisor of an earlier run that was killed may be on its way out still; its services go with it. */
async function endLeftovers(dir: string): Promise<void> {
  const isOurs = (args: readonly string[]): boolean =>
    (args[1]?.endsWith('/supervisor.ts') === true && args[2] === dir) ||
    (args[1]?.endsWith('/service.ts') === true && args.some((arg) => arg.startsWith(`--logs=${dir}/`)));
  for (const pid of findProcesses(isOurs)) await endProcess(pid, ['SIGKILL']);
}

async function startSupervisor(dir: string): Promise<GuardedProcess> {
  const supervisor = await startGuarded({
    file: process.execPath,
    args: [join(import.meta.dirname, 'supervisor.ts'), dir],
  });
  let errors = '';
  supervisor.stderr.on('data', (chunk) => (errors += String(chunk)));
  const isReady = await new Promise<boolean>((settle) => {
    const timer = setTimeout(settle, READY_MS, false);
    const finish = (value: boolean): void => {
      clearTimeout(timer);
      settle(value);
    };
    supervisor.stdout.on('data', () => finish(true));
    void supervisor.ended.then(() => finish(false));
  });
  if (isReady) return supervisor;
  await supervisor.stop();
  throw new UnavailableError(`The trial servers did not start: ${errors.trim().split('\n').at(-1) ?? ''}`, {
    code: 'trial_failed',
  });
}

function createOperations(options: { paths: TrialPaths; ports: ReadonlyMap<string, number> }) {
  const serviceUrl = (service: string): string => {
    const port = options.ports.get(service);
    if (port !== undefined) return `http://127.0.0.1:${port}/`;
    const known = [...options.ports.keys()].join(', ');
    throw new InvalidInputError(`No trial server has a service "${service}"; known are: ${known}.`, {
      code: 'unknown_service',
    });
  };
  const isHealthy = async (service: string): Promise<boolean> =>
    (await askService(`${serviceUrl(service)}healthz`)) !== undefined;
  const breakService = async (service: string, how: 'kill' | 'hang'): Promise<void> => {
    const answer = await askService(serviceUrl(service));
    if (answer === undefined) return; // broken already
    process.kill(answer.pid, how === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    while (await isHealthy(service)) continue; // the kernel closes its socket a moment later
  };
  return { serviceUrl, isHealthy, breakService };
}

/** What the service says of itself, or undefined where it does not answer in time. */
function askService(url: string): Promise<{ pid: number } | undefined> {
  return new Promise((resolve) => {
    // A connection of its own each time: a kept one may belong to a process that was replaced since.
    const request = get(url, { agent: false, timeout: HEALTH_MS }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('error', () => resolve(undefined));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? (JSON.parse(text) as { pid: number }) : undefined),
      );
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}
