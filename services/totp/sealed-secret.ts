import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12; // as GCM wants it
const TAG_BYTES = 16;

/**
 * Encrypts under MEDIC_SECRETS_KEY, bound to whose it is: a row that is copied to another principal does not open.
 * iv, text and tag in one, base64url.
 */
export function sealSecret(input: { key: Buffer; owner: string; secret: string }): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, input.key, iv).setAAD(ownerData(input.owner));
  const sealed = Buffer.concat([cipher.update(input.secret, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** Null where it was sealed under another key, for another owner, or changed since. */
export function openSecret(input: { key: Buffer; owner: string; sealed: string }): string | null {
  const bytes = Buffer.from(input.sealed, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(ALGORITHM, input.key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(ownerData(input.owner))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

function ownerData(owner: string): Buffer {
  return Buffer.from(`medic:totp:${owner}`, 'utf8');
}
