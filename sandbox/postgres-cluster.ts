import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError, UnavailableError } from '../domain/errors.ts';
import { startGuarded } from './guarded-process.ts';
import type { PostgresFiles } from './postgres-files.ts';
import { endProcess, findProcesses } from './process-table.ts';

/** The superuser's name; its password stands in a file of mode 0600 in the data directory. */
export const SUPERUSER = 'postgres';

const CLUSTER = 'cluster';
const DRAFT_PREFIX = 'draft-';

/**
 * The cluster's directory, made by initdb where there is none yet. initdb works in a draft folder that is renamed
 * when complete, so a cluster that stands here is always a whole one, whenever we were killed.
 */
export async function ensureCluster(options: {
  files: PostgresFiles;
  dataDir: string;
  isEphemeral: boolean;
}): Promise<{ clusterDir: string; password: string }> {
  const { files, dataDir } = options;
  const clusterDir = join(files.clusterParent, CLUSTER);
  await endLeftovers(files.clusterParent);
  removeDrafts(files.clusterParent);
  const password = ensurePassword(dataDir, existsSync(clusterDir));
  if (!existsSync(clusterDir)) await createCluster({ files, clusterDir, password, isEphemeral: options.isEphemeral });
  return { clusterDir, password };
}

/**
 * Ends what an earlier run left behind: only processes that name a directory below this one as their own `-D`.
 * Whoever calls this holds the lock of the data directory, so no living Medic owns them.
 */
export async function endLeftovers(clusterParent: string): Promise<void> {
  const names = (args: readonly string[]): boolean =>
    args.some((arg, index) => args[index - 1] === '-D' && arg.startsWith(`${clusterParent}/`));
  for (const pid of findProcesses(names)) await endProcess(pid, ['SIGINT', 'SIGQUIT', 'SIGKILL']);
}

function removeDrafts(clusterParent: string): void {
  for (const name of readdirSync(clusterParent).filter((entry) => entry.startsWith(DRAFT_PREFIX))) {
    rmSync(join(clusterParent, name), { recursive: true, force: true });
  }
}

function ensurePassword(dataDir: string, hasCluster: boolean): string {
  const file = join(dataDir, 'password');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (hasCluster) {
    throw new ConfigurationError(
      `${file} is missing, so nobody can open the database beside it. Put the file back, or delete ${dataDir} to ` +
        'start with an empty database.',
      { code: 'database_password_missing' },
    );
  }
  const password = randomBytes(24).toString('hex');
  writeFileSync(`${file}.tmp`, `${password}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.tmp`, file);
  return password;
}

async function createCluster(options: {
  files: PostgresFiles;
  clusterDir: string;
  password: string;
  isEphemeral: boolean;
}): Promise<void> {
  const { files } = options;
  const draft = join(files.clusterParent, `${DRAFT_PREFIX}${randomBytes(4).toString('hex')}`);
  mkdirSync(draft, { mode: 0o700 });
  const passwordFile = join(draft, 'password');
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (files.user !== undefined) {
    chownSync(draft, files.user.uid, files.user.gid);
    chownSync(passwordFile, files.user.uid, files.user.gid);
  }
  await runInitdb({ files, passwordFile, target: join(draft, CLUSTER), isEphemeral: options.isEphemeral });
  renameSync(join(draft, CLUSTER), options.clusterDir);
  rmSync(draft, { recursive: true, force: true });
}

async function runInitdb(options: {
  files: PostgresFiles;
  passwordFile: string;
  target: string;
  isEphemeral: boolean;
}): Promise<void> {
  const { files } = options;
  const initdb = await startGuarded({
    file: join(files.nativeDir, 'bin', 'initdb'),
    // The built-in locale sorts alike on every machine, whichever locales are installed there.
    args: [
      ...['-D', options.target, '-U', SUPERUSER, `--pwfile=${options.passwordFile}`, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ...(options.isEphemeral ? ['--no-sync'] : []),
    ],
    env: postgresEnvironment(),
    cwd: '/',
    ...(files.user === undefined ? {} : { uid: files.user.uid, gid: files.user.gid }),
  });
  let output = '';
  for (const stream of [initdb.stdout, initdb.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const end = await initdb.ended;
  if (end.exitCode !== 0) throw explainPostgresFailure('PostgreSQL could not create its data directory', output);
}

/** Nothing of ours: a PGPORT or PGDATA of the person who starts us must not reach our database. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** One sentence with the remedy, from what PostgreSQL printed. */
export function explainPostgresFailure(what: string, output: string): UnavailableError {
  if (/No space left on device/i.test(output)) {
    return new UnavailableError(`${what}: the disk is full. Free some space and start again.`, { code: 'disk_full' });
  }
  if (/error while loading shared libraries: (\S+?):/.test(output)) {
    const library = /error while loading shared libraries: (\S+?):/.exec(output)?.[1];
    return new UnavailableError(
      `${what}: this system lacks ${library}. Install it, or set DATABASE_URL to a PostgreSQL of yours.`,
      { code: 'postgres_failed' },
    );
  }
  const lines = output.split('\n').filter((line) => /FATAL|PANIC|ERROR|error:|HINT|HINT:/.test(line));
  const tail = (lines.length > 0 ? lines : output.trim().split('\n')).slice(-3).join(' / ');
  return new UnavailableError(`${what}: ${tail}`, { code: 'postgres_failed' });
}
