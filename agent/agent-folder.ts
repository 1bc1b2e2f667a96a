import { lstat, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import { generatePrivateKeyPem, importSigningKey } from '../protocol/keys.ts';
import type { SigningKey } from '../protocol/keys.ts';
import { parseEnrollResponse, parseSession } from '../protocol/messages.ts';
import type { EnrollResponse, Session } from '../protocol/messages.ts';
import { writeDurably } from './durable-file.ts';
import { readErrorCode, readErrorMessage } from './failure.ts';

const KEY = 'key.pem';
const NEXT_KEY = 'key.next.pem';
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
  enrolment: EnrollResponse;
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
  const reading = parseEnrollResponse(parseJson(text));
  if (!reading.isValid) throw folderError(join(folder, ENROLMENT), 'is damaged; enrol again', 'damaged_enrolment');
  return { enrolment: reading.value, key: await importSigningKey({ pem, source: join(folder, KEY) }) };
}

/** A new key beside the old one, which stays valid until the new one is accepted. */
export async function draftKey(folder: string): Promise<SigningKey> {
  const pem = generatePrivateKeyPem();
  await writeDurably(join(folder, NEXT_KEY), pem);
  return importSigningKey({ pem, source: NEXT_KEY });
}

export async function adoptEnrolment(folder: string, enrolment: EnrollResponse): Promise<void> {
  await writeDurably(join(folder, KEY), await readFile(join(folder, NEXT_KEY), 'utf8'));
  await saveEnrolment(folder, enrolment);
}

export function saveEnrolment(folder: string, enrolment: EnrollResponse): Promise<void> {
  return writeDurably(join(folder, ENROLMENT), `${JSON.stringify(enrolment, null, 2)}\n`);
}

/**
 * A session later than every one before, also after a restart and when the clock was set back; `after` is one the
 * control plane has seen. `isAnew`: whatever stood here before was too far ahead and is forgotten. On disk before it is
 * used.
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
  await writeDurably(join(folder, SESSION), JSON.stringify(session));
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
