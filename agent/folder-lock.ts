import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigurationError } from '../domain/errors.ts';
import { readErrorMessage } from './failure.ts';

const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

/**
 * One agent a folder: throws ConfigurationError `folder_in_use` for the second. The lock is the kernel's, on a file
 * in the folder, so it is gone with this process however it ends, nobody who may not enter the folder can hold it,
 * and it counts between containers too. Node has no call for it but through the SQLite inside it: an exclusive
 * transaction on a database that stays empty.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // writes nothing: a full disk must not stop the start
  } catch (cause) {
    database?.close();
    if (isBusy(cause)) {
      const message = `${folder} is in use by another agent that is still running.`;
      throw new ConfigurationError(message, { code: 'folder_in_use', cause });
    }
    const message = `${path} cannot be locked (${readErrorMessage(cause)}).`;
    throw new ConfigurationError(message, { code: 'folder_unusable', cause });
  }
  const held = database;
  return {
    release: () => {
      held.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
