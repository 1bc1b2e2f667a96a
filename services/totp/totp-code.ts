import { Secret, TOTP } from 'otpauth';

const STEP_S = 30; // what every authenticator app knows, with SHA-1 and six digits (RFC 6238)
const WINDOW_STEPS = 1; // either way: a phone may be half a minute off, and typing takes a while
const SECRET_BYTES = 20; // the length of a SHA-1 key (RFC 4226, section 4)

/** In base32, as an authenticator app takes it. */
export function makeTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** What the QR code says. Whoever reads it can make the codes. */
export function totpUri(input: { principal: string; secret: string }): string {
  return createTotp(input.secret, input.principal).toString();
}

/** The number of the 30 s in which this code is good, one step either way of `nowMs`; null where it is not. */
export function findTotpStep(input: { secret: string; code: string; nowMs: number }): number | null {
  const token = input.code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return null;
  const totp = createTotp(input.secret, 'medic');
  const delta = totp.validate({ token, timestamp: input.nowMs, window: WINDOW_STEPS });
  return delta === null ? null : totp.counter({ timestamp: input.nowMs }) + delta;
}

/** The code that an authenticator app shows at `nowMs`. */
export function makeTotpCode(input: { secret: string; nowMs: number }): string {
  return createTotp(input.secret, 'medic').generate({ timestamp: input.nowMs });
}

function createTotp(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: 'Medic',
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: STEP_S,
    secret: Secret.fromBase32(secret),
  });
}
