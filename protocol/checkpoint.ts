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
    const reading = read(shape, JSON.parse(new TextDecoder().decode(payload)));
    return reading.isValid ? reading.value : undefined;
  } catch {
    return undefined;
  }
}
