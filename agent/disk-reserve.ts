import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { durably } from '../domain/durable-step.ts';
import { readErrorCode } from './failure.ts';

const RESERVE_BYTES = 1024 * 1024; // the records of a command with the most output, several times over

/** Room on the disk of the agent's folder, held by a file, for the one command that makes room. */
export interface DiskReserve {
  readonly isHeld: boolean;
  /** Takes it where there is room for it and as much again, so that nobody else's last byte is taken. Never throws. */
  take(): Promise<boolean>;
  /** True where there was something to give up: what failed for want of room may be tried once more. */
  giveUp(): Promise<boolean>;
}

export async function openDiskReserve(path: string): Promise<DiskReserve> {
  let isHeld = (await stat(path).catch(() => undefined))?.size === RESERVE_BYTES;
  const reserve: DiskReserve = {
    get isHeld() {
      return isHeld;
    },
    async take() {
      if (isHeld) return true;
      try {
        isHeld = (await hasRoom(path)) && (await fill(path));
      } catch {
        await unlink(path).catch(() => undefined); // half a reserve only takes room away
      }
      return isHeld;
    },
    async giveUp() {
      if (!isHeld) return false;
      isHeld = false;
      await unlink(path).catch(() => undefined);
      return true;
    },
  };
  await reserve.take();
  return reserve;
}

export function isOutOfRoom(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(readErrorCode(error) ?? '');
}

async function hasRoom(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(dirname(path));
  return bavail * bsize >= 2 * RESERVE_BYTES;
}

/** Random, because a file system may keep zeros, or what is alike, without any room. */
async function fill(path: string): Promise<true> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    await durably('agent.reserve', async () => {
      await file.writeFile(randomBytes(RESERVE_BYTES));
      await file.sync();
    });
    return true;
  } finally {
    await file.close();
  }
}
