import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32; // beyond guessing, so a plain hash keeps it as well as a slow one

/** A new secret with a prefix that people and secret scanners recognise, and the hash that is stored instead of it. */
export function makeSecret(prefix: string): { secret: string; hash: string } {
  const secret = prefix + randomBytes(SECRET_BYTES).toString('base64url');
  return { secret, hash: hashSecret(secret) };
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
