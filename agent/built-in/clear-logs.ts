import { constants } from 'node:fs';
import { lstat, open, opendir, readdir, readlink, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { readErrorCode, readErrorMessage } from '../failure.ts';

const MAX_DEPTH = 8;
const MAX_LINES = 200; // beyond that only the sum is told
const ACTIVE = /\.log$/;
const ROTATED = /(\.log[.-][\w.-]+|\.\d{1,3}(\.(gz|xz|bz2|zst))?|-\d{8}(\.(gz|xz|bz2|zst))?)$/;

export interface ClearLogsRequest {
  path: string;
  /** The directories that the playbook lists; `path` must be one of them or below. */
  within: readonly string[];
  stop: AbortSignal;
  report(line: string): void;
  complain(line: string): void;
}

/**
 * Frees the space of logs below one directory: an active `*.log` is emptied in place, since its writer keeps it
 * open; a rotated one (`x.log.1`, `syslog.2.gz`, `x-20260131`) is removed; nothing else is touched.
 *
 * INVARIANTS, also while somebody changes the tree: no symbolic link is followed in any component, because each is
 * opened with O_NOFOLLOW below a directory that is already open; no other file system is entered; a file with a
 * second hard link, or that is no regular file, is left alone. False where not all could be done.
 */
export async function clearLogs(request: ClearLogsRequest): Promise<boolean> {
  const segments = request.path.split('/').filter((part) => part !== '');
  if (!isWithin(request) || segments.some((part) => part === '..' || part === '.')) {
    request.complain(
      `clear-logs: ${request.path} is outside of ${request.within.join(', ') || 'every listed directory'}`,
    );
    return false;
  }
  let directory: FileHandle | undefined;
  try {
    const parent = await openBelowRoot(segments.slice(0, -1));
    directory = parent;
    const sweep: Sweep = {
      request,
      device: (await parent.stat({ bigint: true })).dev,
      freed: 0n,
      files: 0,
      isWhole: true,
    };
    await sweepTarget(sweep, parent, segments);
    const untold = sweep.files - MAX_LINES;
    if (untold > 0) request.report(`… and ${String(untold)} more files`);
    request.report(`clear-logs: ${String(sweep.freed)} bytes freed in ${String(sweep.files)} files`);
    return sweep.isWhole;
  } catch (error) {
    request.complain(`clear-logs: ${request.path}: ${explain(error)}`);
    return false;
  } finally {
    await directory?.close();
  }
}

/** A directory is swept; a file is one log. */
async function sweepTarget(sweep: Sweep, parent: FileHandle, segments: readonly string[]): Promise<void> {
  const name = segments.at(-1) ?? '.';
  const shown = segments
    .slice(0, -1)
    .map((part) => `/${part}`)
    .join('');
  const target = await lstat(childPath(parent, name), { bigint: true });
  if (!target.isDirectory()) {
    if (target.isSymbolicLink()) throw Object.assign(new Error('link'), { code: 'ELOOP' });
    await sweepEntry(sweep, { directory: parent, shown, depth: 0 }, name);
    return;
  }
  sweep.device = target.dev;
  await descend(sweep, { directory: parent, shown, depth: -1 }, name);
}

interface Sweep {
  request: ClearLogsRequest;
  device: bigint;
  freed: bigint;
  files: number;
  isWhole: boolean;
}
interface Place {
  directory: FileHandle;
  shown: string;
  depth: number;
}

function isWithin({ path, within }: ClearLogsRequest): boolean {
  return within.some((root) => {
    const base = root.replace(/\/+$/, '');
    return path === base || path.startsWith(`${base}/`);
  });
}

async function openBelowRoot(segments: readonly string[]): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  let current = await open('/', flags);
  for (const name of segments) {
    try {
      const next = await open(childPath(current, name), flags);
      await current.close();
      current = next;
    } catch (error) {
      await current.close();
      throw error;
    }
  }
  return current;
}

/** Node has no openat: below an open directory's descriptor a single name means the same. */
function childPath(directory: FileHandle, name: string): string {
  return `${descriptorPath(directory.fd)}/${name}`;
}

function descriptorPath(fd: number): string {
  return `/proc/self/fd/${String(fd)}`;
}

async function sweepDirectory(sweep: Sweep, place: Place): Promise<void> {
  for (const name of (await readdir(descriptorPath(place.directory.fd))).sort()) {
    if (sweep.request.stop.aborted) return;
    try {
      await sweepEntry(sweep, place, name);
    } catch (error) {
      if (isGone(error)) continue;
      sweep.isWhole = false;
      sweep.request.complain(`clear-logs: ${place.shown}/${name}: ${explain(error)}`);
    }
  }
}

async function sweepEntry(sweep: Sweep, place: Place, name: string): Promise<void> {
  const path = childPath(place.directory, name);
  const seen = await lstat(path);
  if (seen.isDirectory()) {
    if (place.depth >= MAX_DEPTH) throw new Error('it lies too deep and is left alone');
    await descend(sweep, place, name);
    return;
  }
  const isActive = ACTIVE.test(name);
  if (!seen.isFile() || !(isActive || ROTATED.test(name))) return;
  // O_NONBLOCK: should a pipe take the file's place now, opening it must not wait.
  const access = isActive ? constants.O_WRONLY : constants.O_RDONLY;
  const file = await open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile() || stats.dev !== sweep.device || (isActive && stats.size === 0n)) return;
    if (!(await isOnlyName(place, name, { fd: file.fd, nlink: stats.nlink }))) return;
    if (isActive) await file.truncate(0);
    else await unlink(path);
    sweep.files += 1;
    sweep.freed += stats.size;
    if (sweep.files <= MAX_LINES) {
      sweep.request.report(`${isActive ? 'emptied' : 'removed'} ${place.shown}/${name} (${String(stats.size)} bytes)`);
    }
  } finally {
    await file.close();
  }
}

async function descend(sweep: Sweep, place: Place, name: string): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const directory = await open(childPath(place.directory, name), flags);
  try {
    if ((await directory.stat({ bigint: true })).dev !== sweep.device) return;
    await sweepDirectory(sweep, {
      directory,
      shown: `${place.shown}/${name}`,
      depth: place.depth + 1,
    });
  } finally {
    await directory.close();
  }
}

/**
 * Whether this name is the only one of the open file, also while hard links come and go. The number of links is
 * looked at first and the name last: a name that was taken away stays `(deleted)` for this descriptor for ever, so
 * one that still stands stood when there was one link. An unlink lowers the number a moment before it marks the name;
 * it holds the directory's lock meanwhile, for which reading the directory waits.
 */
async function isOnlyName(place: Place, name: string, { fd, nlink }: { fd: number; nlink: bigint }): Promise<boolean> {
  if (nlink !== 1n) return false;
  const listing = await opendir(descriptorPath(place.directory.fd), { bufferSize: 1 });
  await listing.read();
  await listing.close();
  const parent = await readlink(descriptorPath(place.directory.fd));
  return (await readlink(descriptorPath(fd))) === `${parent === '/' ? '' : parent}/${name}`;
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ELOOP'].includes(readErrorCode(error) ?? '');
}

function explain(error: unknown): string {
  const code = readErrorCode(error) ?? readErrorMessage(error);
  if (code === 'ELOOP' || code === 'ENOTDIR') return 'a part of the path is a symbolic link or no directory';
  if (code === 'EACCES' || code === 'EPERM') return 'the agent’s user may not do this';
  return code === 'ENOENT' ? 'no such directory' : code;
}
