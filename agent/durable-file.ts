import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DurableStep } from '../domain/durable-step.ts';
import { passCrashPoint } from '../domain/durable-step.ts';

/**
 * Replaces a file as a whole, mode 0600; when it returns, file and name are on disk. Where it throws, the file is as it
 * was, and what was drafted takes up no room.
 */
export async function writeDurably(path: string, { text, step }: { text: string; step: DurableStep }): Promise<void> {
  const draft = `${path}.${String(process.pid)}.draft`;
  try {
    await writeDraft(draft, text);
    passCrashPoint(`${step}:before`);
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
  passCrashPoint(`${step}:after`);
}

async function writeDraft(path: string, text: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
