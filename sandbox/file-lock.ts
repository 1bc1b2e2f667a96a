import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readStartTicks } from './process-table.ts';

export interface FileLock {
  /** Safe to call again. */
  release(): void;
}

interface Holder {
  pid: number;
  startTicks: string;
  bootId: string;
}

/**
 * Takes the lock, or returns the pid of the living process that holds it. A lock whose holder died, by any signal or
 * with the machine, is taken over: the holder is known by pid, start time and boot, so a reused pid does not count.
 */
export function takeFileLock(path: string): FileLock | { heldByPid: number } {
  const own = JSON.stringify(describeSelf());
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        return { release: () => releaseLock(path, own) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = readLock(path);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder !== undefined && isAlive(holder)) return { heldByPid: holder.pid };
      removeStale(path, found);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function describeSelf(): Holder {
  return { pid: process.pid, startTicks: readStartTicks(process.pid) ?? '', bootId: readBootId() };
}

function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function isAlive(holder: Holder): boolean {
  return holder.bootId === readBootId() && readStartTicks(holder.pid) === holder.startTicks;
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** Moves the stale lock aside; if another process replaced it in between, what was moved is put back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== stale) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

function releaseLock(path: string, own: string): void {
  if (readLock(path) === own) rmSync(path, { force: true });
}
