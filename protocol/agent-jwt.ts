import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeJwt } from 'jose';
import { CLOCK_TOLERANCE_S, MAX_TOKEN_LIFE_S } from './limits.ts';
import { toPublicKeyObject } from './keys.ts';
import type { PublicKey } from './messages.ts';
import { number, object, oneOf, read, text } from './shape.ts';

const AUDIENCE = 'medic';
const claims = object({
  sub: text({ max: 128 }),
  aud: oneOf([AUDIENCE]),
  iat: number({ min: 0 }),
  exp: number({ min: 0 }),
});

export type AgentTokenReading =
  | { status: 'ok'; serverId: string }
  /** Well signed, but the two clocks differ by more than a minute: answer with `server_time`. */
  | { status: 'clock_skew' }
  | { status: 'unauthenticated'; reason: string };

/** `nowMs` is the control plane's time as far as the agent knows it. */
export function mintAgentToken(input: {
  serverId: string;
  privateKey: KeyObject;
  kid: string;
  nowMs: number;
  lifeS?: number;
}): Promise<string> {
  const iat = Math.floor(input.nowMs / 1000);
  const exp = iat + Math.min(input.lifeS ?? MAX_TOKEN_LIFE_S, MAX_TOKEN_LIFE_S);
  const payload = JSON.stringify({ sub: input.serverId, aud: AUDIENCE, iat, exp });
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'EdDSA', kid: input.kid, typ: 'JWT' })
    .sign(input.privateKey);
}

const SERVER_ID = /^[\w.-]{1,64}$/; // nothing that a database would choke on

/** Who the token claims to be from, to look up the key; proves nothing. Undefined where it cannot be read. */
export function readClaimedServerId(token: string): string | undefined {
  try {
    const { sub } = decodeJwt(token);
    return typeof sub === 'string' && SERVER_ID.test(sub) ? sub : undefined;
  } catch {
    return undefined;
  }
}

/** Never throws. The signature is judged first: a stranger learns nothing about our clock. */
export async function verifyAgentToken(input: {
  token: string;
  publicKey: PublicKey;
  nowMs: number;
}): Promise<AgentTokenReading> {
  let body: unknown;
  try {
    const { payload } = await compactVerify(input.token, toPublicKeyObject(input.publicKey), { algorithms: ['EdDSA'] });
    body = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return { status: 'unauthenticated', reason: 'the token is not signed with this server’s key' };
  }
  const reading = read(claims, body);
  if (!reading.isValid) {
    const [first] = reading.errors;
    return {
      status: 'unauthenticated',
      reason: `the token’s ${first?.path ?? 'body'} ${first?.message ?? 'is wrong'}`,
    };
  }
  return judgeTimes(reading.value, input.nowMs / 1000);
}

function judgeTimes(token: { sub: string; iat: number; exp: number }, nowS: number): AgentTokenReading {
  if (token.exp - token.iat > MAX_TOKEN_LIFE_S || token.exp <= token.iat) {
    return { status: 'unauthenticated', reason: `the token must live at most ${String(MAX_TOKEN_LIFE_S)} s` };
  }
  const isFromTheFuture = token.iat > nowS + CLOCK_TOLERANCE_S;
  const isLongPast = token.exp < nowS - CLOCK_TOLERANCE_S;
  if (isFromTheFuture || isLongPast) return { status: 'clock_skew' };
  return { status: 'ok', serverId: token.sub };
}
