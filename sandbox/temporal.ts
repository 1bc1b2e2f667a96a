import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConflictError, UnavailableError } from '../domain/errors.ts';
import { takeFileLock } from './file-lock.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';
import { takePort } from './ports.ts';
import { endProcess, findProcesses } from './process-table.ts';
import { findTemporalCli } from './temporal-cli.ts';
import { isTemporalReady } from './temporal-probe.ts';

export { findTemporalCli } from './temporal-cli.ts';

export interface RunningTemporal {
  address: string;
  namespace: string;
  uiUrl: string | null;
  /** What the person should know: a wanted port that was taken. */
  remarks: readonly string[];
  /** Settles when the server has ended, whether asked to or not. */
  ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface TemporalOptions {
  /** The CLI's path; found where it is not given. */
  cliPath?: string;
  /** Without it everything is kept in memory. */
  dbFile?: string;
  /** Without it there is no page. */
  uiPort?: number;
  port?: number;
  namespace?: string;
  /** Others that it serves too: tests that run side by side take one each. */
  moreNamespaces?: readonly string[];
  log?: (line: string) => void;
}

const READY_MS = 60_000; // half a second usually; the first start reads 250 MB from a cold disk
const ATTEMPTS = 5; // lost port races

/**
 * A Temporal dev server on loopback, ready to serve its namespace. With `dbFile` its workflows are there again after
 * any end, kill -9 included; a server that an earlier run left on that file is ended first.
 * Throws `data_dir_in_use` while another living process runs one on that file, `no_temporal_cli`, `temporal_failed`.
 */
export async function startTemporal(options: TemporalOptions = {}): Promise<RunningTemporal> {
  const dbFile = options.dbFile === undefined ? undefined : resolve(options.dbFile);
  const release = dbFile === undefined ? () => undefined : await claimFile(dbFile);
  try {
    const cliPath = options.cliPath ?? (await findTemporalCli());
    const running = await launch({ ...options, cliPath, ...(dbFile === undefined ? {} : { dbFile }) });
    return { ...running, stop: () => running.stop().finally(release) };
  } catch (error) {
    release();
    throw error;
  }
}

async function claimFile(dbFile: string): Promise<() => void> {
  mkdirSync(dirname(dbFile), { recursive: true });
  const lock = takeFileLock(`${dbFile}.lock`);
  if ('heldByPid' in lock) {
    throw new ConflictError(`Temporal on ${dbFile} is already run by process ${lock.heldByPid}. Stop that one first.`, {
      code: 'data_dir_in_use',
      details: { pid: lock.heldByPid },
    });
  }
  const usesFile = (args: readonly string[]): boolean => args.includes(`--db-filename=${dbFile}`);
  for (const pid of findProcesses(usesFile)) await endProcess(pid, ['SIGINT', 'SIGKILL']);
  return lock.release;
}

async function launch(options: TemporalOptions & { cliPath: string }): Promise<RunningTemporal> {
  const namespace = options.namespace ?? 'default';
  for (let attempt = 1; ; attempt++) {
    const main = await takePort(options.port);
    const page = options.uiPort === undefined ? null : await takePort(options.uiPort, new Set([main.port]));
    const address = `127.0.0.1:${main.port}`;
    const { server, output } = await spawnServer(options, namespace, main.port, page?.port ?? null);
    if (await waitUntilReady(server, address, namespace)) {
      return {
        address,
        namespace,
        uiUrl: page === null ? null : `http://127.0.0.1:${page.port}`,
        remarks: [main.sentence, page?.sentence ?? null].filter((line) => line !== null),
        ended: server.ended,
        stop: async () => void (await server.stop()),
      };
    }
    await server.stop();
    if (attempt < ATTEMPTS && /address already in use|port .* (in use|not available)/i.test(output())) continue;
    throw explainFailure(output());
  }
}

async function spawnServer(
  options: TemporalOptions & { cliPath: string },
  namespace: string,
  port: number,
  uiPort: number | null,
): Promise<{ server: GuardedProcess; output: () => string }> {
  const server = await startGuarded({
    file: options.cliPath,
    args: [
      ...['server', 'start-dev', '--ip=127.0.0.1', `--port=${port}`, `--namespace=${namespace}`, '--log-level=warn'],
      ...(options.moreNamespaces ?? []).map((name) => `--namespace=${name}`),
      uiPort === null ? '--headless' : `--ui-port=${uiPort}`,
      ...(options.dbFile === undefined ? [] : [`--db-filename=${options.dbFile}`]),
    ],
    env: temporalEnvironment(),
    firstSignal: options.dbFile === undefined ? 'SIGKILL' : 'SIGINT', // in memory there is nothing to save
  });
  let text = '';
  const read = (chunk: unknown): void => {
    text = (text + String(chunk)).slice(-8_000);
    for (const line of String(chunk).split('\n')) if (line !== '') options.log?.(line);
  };
  server.stdout.on('data', read);
  server.stderr.on('data', read);
  return { server, output: () => text };
}

/** Without TEMPORAL_*: the CLI reads those, and a configured service must not leak into the embedded one. */
function temporalEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return Object.fromEntries(entries);
}

async function waitUntilReady(server: GuardedProcess, address: string, namespace: string): Promise<boolean> {
  const deadline = performance.now() + READY_MS;
  while (!server.hasEnded() && performance.now() < deadline) {
    if (await isTemporalReady(address, namespace)) return !server.hasEnded();
    await delay(20);
  }
  return false;
}

function explainFailure(output: string): UnavailableError {
  if (/no space left|disk is full/i.test(output)) {
    return new UnavailableError('Temporal did not start: the disk is full. Free some space and start again.', {
      code: 'disk_full',
    });
  }
  const tail = output.trim().split('\n').slice(-3).join(' / ');
  return new UnavailableError(`Temporal did not start: ${tail}`, { code: 'temporal_failed' });
}
