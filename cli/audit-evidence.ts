import { readFile } from 'node:fs/promises';
import { InvalidInputError } from '../domain/errors.ts';
import type { Checkpoint } from '../protocol/checkpoint.ts';
import { verifyCheckpoint } from '../protocol/checkpoint.ts';
import type { CommandKey } from '../protocol/messages.ts';
import { parseCommandKeys } from '../protocol/messages.ts';
import { isRecord } from '../protocol/shape.ts';

/** What a log is held against; or the first line of the witness that is signed by none of the keys. */
export type Evidence =
  | { isSound: true; checkpoints: Checkpoint[] }
  | { isSound: false; fault: { code: 'bad_checkpoint'; line: number; sentence: string } };

/**
 * The checkpoints of a witness, a JWS on each line as `medic agent witness` prints them. Throws InvalidInputError where
 * a file cannot be read, holds no key, or holds no checkpoint: what proves nothing must not pass for a proof.
 */
export async function readEvidence(files: { witness: string; keys: string }): Promise<Evidence> {
  const keys = readKeys(await readText(files.keys), files.keys);
  const lines = (await readText(files.witness)).split('\n').map((line) => line.trim());
  const checkpoints: Checkpoint[] = [];
  for (const [index, jws] of lines.entries()) {
    if (jws === '') continue;
    const checkpoint = await verifyCheckpoint({ jws, keys });
    if (checkpoint === undefined) {
      const sentence = `Line ${index + 1} of ${files.witness} is no checkpoint that is signed by one of these keys.`;
      return { isSound: false, fault: { code: 'bad_checkpoint', line: index + 1, sentence } };
    }
    checkpoints.push(checkpoint);
  }
  if (checkpoints.length > 0) return { isSound: true, checkpoints };
  throw new InvalidInputError(`${files.witness} holds no checkpoint.`, { code: 'no_checkpoint' });
}

/** `{ keys: [JWK] }`, a list of JWKs, or what an agent has of its control plane, with `command_keys`. */
function readKeys(text: string, file: string): CommandKey[] {
  const reading = parseCommandKeys(findKeys(text));
  if (reading.isValid && reading.value.length > 0) return reading.value;
  const message = `${file} holds no public keys: \`medic agent witness --keys\` prints them.`;
  throw new InvalidInputError(message, { code: 'invalid_keys' });
}

function findKeys(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? (value['keys'] ?? value['command_keys']) : value;
  } catch {
    return undefined;
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new InvalidInputError(`${file} cannot be read (${reason}).`, { code: 'unreadable_file', cause });
  }
}
