import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { computeKeyId, toPublicKeyObject } from './keys.ts';
import type { SigningKey } from './keys.ts';
import type { NextAgentKey, PublicKey } from './messages.ts';
import { object, read, text } from './shape.ts';

const KEY_CHANGE_TYPE = 'medic-agent-key';
const claim = object({ server_id: text({ max: 128 }), kid: text({ max: 128 }) });

/**
 * What an agent says of its next key: signed with the one in use, since a token that was read on the way must not be
 * enough to change the key, and with the next one, so that nobody announces the key of somebody else.
 */
export async function announceNextKey(input: {
  serverId: string;
  current: SigningKey;
  next: SigningKey;
}): Promise<NextAgentKey> {
  const { kid, ...publicKey } = input.next.publicKey;
  const said = JSON.stringify({ server_id: input.serverId, kid });
  return {
    public_key: publicKey,
    signed_by_current: await sign(said, input.current.privateKey),
    signed_by_next: await sign(said, input.next.privateKey),
  };
}

/** Never throws. */
export async function isNextKeyVouchedFor(input: {
  serverId: string;
  current: PublicKey;
  announced: NextAgentKey;
}): Promise<boolean> {
  const { serverId, current, announced } = input;
  const kid = await computeKeyId(announced.public_key);
  const said = [
    await readClaim(announced.signed_by_current, current),
    await readClaim(announced.signed_by_next, announced.public_key),
  ];
  return said.every((one) => one?.server_id === serverId && one.kid === kid);
}

function sign(said: string, privateKey: KeyObject): Promise<string> {
  return new CompactSign(new TextEncoder().encode(said))
    .setProtectedHeader({ alg: 'EdDSA', typ: KEY_CHANGE_TYPE })
    .sign(privateKey);
}

async function readClaim(jws: string, key: PublicKey): Promise<{ server_id: string; kid: string } | undefined> {
  try {
    if (decodeProtectedHeader(jws).typ !== KEY_CHANGE_TYPE) return undefined;
    const { payload } = await compactVerify(jws, toPublicKeyObject(key), { algorithms: ['EdDSA'] });
    const reading = read(claim, JSON.parse(new TextDecoder().decode(payload)));
    return reading.isValid ? reading.value : undefined;
  } catch {
    return undefined;
  }
}
