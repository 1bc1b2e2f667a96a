import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ConflictError } from '../domain/errors.ts';
import { takeFileLock, type FileLock } from './file-lock.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';
import { takePort } from './ports.ts';
import {
  endLeftovers,
  ensureCluster,
  explainPostgresFailure,
  postgresEnvironment,
  SUPERUSER,
} from './postgres-cluster.ts';
import { preparePostgresFiles, removePostgresFiles, type PostgresFiles } from './postgres-files.ts';

export interface RunningPostgres {
  /** The database `medic`, as superuser. */
  url: string;
  /** The database `postgres`, as superuser: to create and drop others. */
  adminUrl: string;
  port: number;
  /** The folder outside the clone, where there is one: to be named to the person. */
  rootFolder: string | null;
  /** Settles when the database has ended, whether asked to or not. */
  ended: Promise<unknown>;
  /** With `keepsData` also an ephemeral one can be started again. */
  stop(options?: { keepsData?: boolean }): Promise<void>;
}

export interface PostgresOptions {
  dataDir: string;
  /** The wanted one, or the next free one after it; absent: any. */
  port?: number;
  log?: (line: string) => void;
  /** For tests: nothing is forced to disk, and `stop` deletes the data. */
  isEphemeral?: boolean;
}

const READY_MS = 120_000; // a recovery after kill -9 replays at most one checkpoint's worth of log
const ATTEMPTS = 20; // a lost port race, or backends of a killed database that are still on their way out
const RETRYABLE =
  /could not bind|could not create any TCP|Address already in use|pre-existing shared memory|is still in use/;

/**
 * The embedded PostgreSQL, reachable on loopback only, with a random password. Whatever became of an earlier run on
 * this directory, killed in initdb or while writing, is mended first; data once committed is there.
 * Throws `data_dir_in_use` while another living process runs it, `disk_full`, `no_unprivileged_user`,
 * `postgres_failed`.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dataDir = resolve(options.dataDir);
  const isEphemeral = options.isEphemeral ?? false;
  const files = preparePostgresFiles({ dataDir, isEphemeral });
  const lock = takeLock(dataDir);
  try {
    const { clusterDir, password } = await ensureCluster({ files, dataDir, isEphemeral });
    const { server, port } = await launch({
      ...{ files, clusterDir, isEphemeral },
      wantedPort: options.port ?? 0,
      log: options.log ?? (() => undefined),
    });
    const urlOf = (database: string): string => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
    try {
      await ensureDatabase(urlOf('postgres'));
    } catch (error) {
      await stopServer(server);
      throw error;
    }
    return {
      url: urlOf('medic'),
      adminUrl: urlOf('postgres'),
      port,
      rootFolder: files.rootFolder,
      ended: server.ended,
      async stop({ keepsData = false } = {}) {
        await stopServer(server);
        if (isEphemeral && !keepsData) removeEphemeral(files, dataDir);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function takeLock(dataDir: string): FileLock {
  const lock = takeFileLock(join(dataDir, 'lock'));
  if ('heldByPid' in lock) {
    throw new ConflictError(
      `The database in ${dataDir} is already run by process ${lock.heldByPid}. Stop that one first.`,
      { code: 'data_dir_in_use', details: { pid: lock.heldByPid } },
    );
  }
  return lock;
}

interface LaunchOptions {
  files: PostgresFiles;
  clusterDir: string;
  isEphemeral: boolean;
  wantedPort: number;
  log: (line: string) => void;
}

async function launch(options: LaunchOptions): Promise<{ server: GuardedProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const { port } = await takePort(options.wantedPort);
    const { server, output, isReady } = await launchOnce(options, port);
    if (isReady) return { server, port };
    await stopServer(server);
    if (attempt === ATTEMPTS || !RETRYABLE.test(output))
      throw explainPostgresFailure('PostgreSQL did not start', output);
    await endLeftovers(options.files.clusterParent);
    await delay(250); // backends of a killed postmaster notice within a moment
  }
}

async function launchOnce(
  options: LaunchOptions,
  port: number,
): Promise<{ server: GuardedProcess; output: string; isReady: boolean }> {
  const { files, clusterDir } = options;
  rmSync(join(clusterDir, 'postmaster.pid'), { force: true }); // its process is gone; another may have got its number
  const server = await startGuarded({
    file: join(files.nativeDir, 'bin', 'postgres'),
    args: ['-D', clusterDir, ...settingsOf({ port, isEphemeral: options.isEphemeral })],
    env: postgresEnvironment(),
    cwd: '/',
    firstSignal: 'SIGINT', // a fast shutdown: open transactions are rolled back, nothing needs recovery
    lastSignal: 'SIGQUIT', // an immediate one: the next start recovers
    ...(files.user === undefined ? {} : { uid: files.user.uid, gid: files.user.gid }),
  });
  let output = '';
  const isReady = await new Promise<boolean>((settle) => {
    const timer = setTimeout(settle, READY_MS, false);
    const read = (chunk: unknown): void => {
      const text = String(chunk);
      for (const line of text.split('\n').filter((entry) => entry !== '')) options.log(line);
      output = (output + text).slice(-8_000);
      if (!output.includes('ready to accept connections')) return;
      clearTimeout(timer);
      settle(true);
    };
    server.stderr.on('data', read);
    server.stdout.on('data', read);
    void server.ended.then(() => {
      clearTimeout(timer);
      settle(false);
    });
  });
  return { server, output, isReady };
}

function settingsOf(options: { port: number; isEphemeral: boolean }): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: '',
    max_connections: '200', // tests run files side by side, each with pools of its own
    shared_buffers: options.isEphemeral ? '64MB' : '128MB',
    logging_collector: 'off',
    log_min_messages: 'warning',
    ...(options.isEphemeral ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  client.on('error', () => undefined); // the query below fails and tells
  await client.connect();
  try {
    const found = await client.query("SELECT 1 FROM pg_database WHERE datname = 'medic'");
    if (found.rowCount === 0) await client.query('CREATE DATABASE medic');
  } finally {
    await client.end();
  }
}

async function stopServer(server: GuardedProcess): Promise<void> {
  await server.stop();
}

function removeEphemeral(files: PostgresFiles, dataDir: string): void {
  removePostgresFiles(files);
  rmSync(dataDir, { recursive: true, force: true });
}
