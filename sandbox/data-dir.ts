import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigurationError, ConflictError } from '../domain/errors.ts';
import { takeFileLock } from './file-lock.ts';

export interface DataDir {
  path: string;
  /** A path inside, whose folder may not exist yet. */
  at(...names: string[]): string;
  release(): void;
}

/**
 * Claims the folder that `npm start` keeps its data in, creating it (0700). Throws `already_running` while another
 * living process holds it, `data_dir_unusable` where it cannot be written.
 */
export function claimDataDir(path: string): DataDir {
  const absolute = resolve(path);
  const lock = takeDirLock(absolute);
  if ('heldByPid' in lock) {
    throw new ConflictError(
      `Medic already runs on ${absolute}, as process ${lock.heldByPid}. Use that one, or stop it first: kill ${lock.heldByPid}`,
      { code: 'already_running', details: { pid: lock.heldByPid } },
    );
  }
  return { path: absolute, at: (...names) => join(absolute, ...names), release: lock.release };
}

function takeDirLock(absolute: string): ReturnType<typeof takeFileLock> {
  try {
    mkdirSync(absolute, { recursive: true, mode: 0o700 });
    return takeFileLock(join(absolute, 'running.lock'));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC') {
      throw new ConfigurationError('The disk is full. Free some space and start again.', { code: 'disk_full', cause });
    }
    throw new ConfigurationError(`${absolute} cannot be written to (${code}). Make it belong to you.`, {
      code: 'data_dir_unusable',
      cause,
    });
  }
}
