import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { toPublicKeyObject } from './keys.ts';
import { commandKeySet } from './messages.ts';
import type { CommandKey, CommandKeySet } from './messages.ts';
import { read } from './shape.ts';

export const KEY_SET_TYPE = 'medic-command-keys';

/** Signed with a key that agents accept already: so they learn of another from whom they trust, and not from the network. */
export function signKeySet(input: { set: CommandKeySet; privateKey: KeyObject; kid: string }): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(input.set)))
    .setProtectedHeader({ alg: 'EdDSA', kid: input.kid, typ: KEY_SET_TYPE })
    .sign(input.privateKey);
}

/** The set, or undefined where it is not signed by one of these keys or is no set. Never throws. */
export async function verifyKeySet(input: {
  jws: string;
  keys: readonly CommandKey[];
}): Promise<CommandKeySet | undefined> {
  try {
    const { kid, typ } = decodeProtectedHeader(input.jws);
    const key = input.keys.find((candidate) => candidate.kid === kid);
    if (key === undefined || typ !== KEY_SET_TYPE) return undefined;
    const { payload } = await compactVerify(input.jws, toPublicKeyObject(key), { algorithms: ['EdDSA'] });
    const reading = read(commandKeySet, JSON.parse(new TextDecoder().decode(payload)));
    return reading.isValid ? reading.value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Follows sets that each vouch for the next, from one that is trusted, and says how far that went. What is not newer is
 * passed over: an old set, sent again, would bring a retired key back. `isWhole: false`: one is vouched for by nobody
 * trusted, and neither it nor what comes after it counts.
 */
export async function followKeySets(
  trusted: Pick<CommandKeySet, 'serial' | 'keys'>,
  chain: readonly string[],
): Promise<{ set: Pick<CommandKeySet, 'serial' | 'keys'>; isWhole: boolean }> {
  let set = trusted;
  for (const jws of chain) {
    if ((readSerial(jws) ?? Infinity) <= set.serial) continue;
    const next = await verifyKeySet({ jws, keys: set.keys });
    if (next === undefined) return { set, isWhole: false };
    set = { serial: next.serial, keys: next.keys };
  }
  return { set, isWhole: true };
}

/** What it claims, whoever signed it: good for passing it over only. */
function readSerial(jws: string): number | undefined {
  try {
    const reading = read(commandKeySet, JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')));
    return reading.isValid ? reading.value.serial : undefined;
  } catch {
    return undefined;
  }
}
