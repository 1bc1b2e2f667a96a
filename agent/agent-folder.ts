import { lstat, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import { importSigningKey } from '../protocol/keys.ts';
import type { SigningKey } from '../protocol/keys.ts';
import { parseSession, parseStoredEnrolment } from '../protocol/messages.ts';
import type { Session, StoredEnrolment } from '../protocol/messages.ts';
import { isOutOfRoom } from './disk-reserve.ts';
import { writeDurably } from './durable-file.ts';
import { readErrorCode, readErrorMessage } from './failure.ts';

export const KEY = 'key.pem';
const ENROLMENT = 'enrolment.json';
const SESSION = 'session.json';

/** Creates the folder 0700. Throws ConfigurationError where it is no folder of ours or others may look into it. */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const stats = await lstat(path);
    const isOwn = stats.isDirectory() && stats.uid === process.getuid?.();
    if (!isOwn) throw folderError(path, 'must be a folder of the agent’s own user', 'foreign_folder');
    if ((stats.mode & 0o077) !== 0)
      throw folderError(path, `must be closed to others: chmod 700 ${path}`, 'open_folder');
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    throw folderError(path, `cannot be used (${readErrorMessage(cause)})`, 'folder_unusable');
  }
}

export interface Identity {
  enrolment: StoredEnrolment;
  key: SigningKey;
}

/** Throws ConfigurationError `not_enrolled`, or what is wrong with the files. */
export async function loadIdentity(folder: string): Promise<Identity> {
  const text = await readOptional(join(folder, ENROLMENT));
  const pem = await readOptional(join(folder, KEY));
  if (text === undefined || pem === undefined) {
    throw new ConfigurationError('This server is not enrolled: run `medic agent enroll --token …` once.', {
      code: 'not_enrolled',
    });
  }
  const mode = (await lstat(join(folder, KEY))).mode;
  if ((mode & 0o077) !== 0) throw folderError(join(folder, KEY), 'must be closed to others: chmod 600', 'open_key');
  const reading = parseStoredEnrolment(parseJson(text));
  if (!reading.isValid) throw folderError(join(folder, ENROLMENT), 'is damaged; enrol again', 'damaged_enrolment');
  return { enrolment: reading.value, key: await importSigningKey({ pem, source: join(folder, KEY) }) };
}

export function saveEnrolment(folder: string, enrolment: StoredEnrolment): Promise<void> {
  const text = `${JSON.stringify(enrolment, null, 2)}\n`;
  return writeDurably(join(folder, ENROLMENT), { text, step: 'agent.enrolment' });
}

/**
 * A session later than every one before, also after a restart and when the clock was set back; `after` is one the
 * control plane has seen. `isAnew`: whatever stood here before was too far ahead and is forgotten. On disk before it is
 * used, unless the disk is full: a later one that is not newer is answered with the one to follow.
 */
export async function openSession(
  folder: string,
  input: { nowMs: number; after?: Session; isAnew?: boolean },
): Promise<Session> {
  const stored = parseSession(parseJson((await readOptional(join(folder, SESSION))) ?? 'null'));
  const lastMs = Math.max(
    stored.isValid && input.isAnew !== true ? Date.parse(stored.value.started_at) : 0,
    input.after === undefined ? 0 : Date.parse(input.after.started_at),
  );
  const session = { started_at: new Date(Math.max(input.nowMs, lastMs + 1)).toISOString(), beat: 0 };
  try {
    await writeDurably(join(folder, SESSION), { text: JSON.stringify(session), step: 'agent.session' });
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
  }
  return session;
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (readErrorCode(error) === 'ENOENT') return undefined;
    throw folderError(path, `cannot be read (${readErrorMessage(error)})`, 'folder_unusable');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function folderError(path: string, what: string, code: string): ConfigurationError {
  return new ConfigurationError(`${path} ${what}.`, { code });
}
