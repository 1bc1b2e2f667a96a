import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { toPublicKeyObject } from './keys.ts';
import type { CommandKey } from './messages.ts';
import { integer, moment, object, read, text } from './shape.ts';
import type { ValueOf } from './shape.ts';

export const CHECKPOINT_TYPE = 'medic-checkpoint';

const shape = object({
  count: integer({ min: 0 }),
  head: text({ max: 71, pattern: /^sha256:[0-9a-f]{64}$/, is: '"sha256:" and 64 hex digits' }),
  at: moment(),
});

/** How far the audit log had grown at a moment: `count` events, the last with hash `head`. */
export type Checkpoint = ValueOf<typeof shape>;

export function signCheckpoint(input: { checkpoint: Checkpoint; privateKey: KeyObject; kid: string }): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(input.checkpoint)))
    .setProtectedHeader({ alg: 'EdDSA', kid: input.kid, typ: CHECKPOINT_TYPE })
    .sign(input.privateKey);
}

/** The checkpoint, or undefined where it is not signed by one of these keys or is no checkpoint. Never throws. */
export async function verifyCheckpoint(input: {
  jws: string;
  keys: readonly CommandKey[];
}): Promise<Checkpoint | undefined> {
  try {
    const { kid, typ } = decodeProtectedHeader(input.jws);
    const key = input.keys.find((candidate) => candidate.kid === kid);
    if (key === undefined || typ !== CHECKPOINT_TYPE) return undefined;
    const { payload } = await compactVerify(input.jws, toPublicKeyObject(key), { algorithms: ['EdDSA'] });
    return readPayload(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}

/** The key that it names; undefined where it names none. */
export function readCheckpointKid(jws: string): string | undefined {
  try {
    return decodeProtectedHeader(jws).kid;
  } catch {
    return undefined;
  }
}

/** What it says, whoever signed it: for what was verified before. Undefined where it is no checkpoint. */
export function decodeCheckpoint(jws: string): Checkpoint | undefined {
  try {
    return readPayload(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function readPayload(json: string): Checkpoint | undefined {
  const reading = read(shape, JSON.parse(json));
  return reading.isValid ? reading.value : undefined;
}
