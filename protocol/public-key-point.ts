const FIELD = 2n ** 255n - 19n; // RFC 8032, 5.1
const SIGN_BIT = 1n << 255n;
const ORDER_8_Y = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/**
 * The y of the five pairs of points whose order divides the cofactor 8. Whoever verifies with one of them takes
 * signatures that anybody can make, without any private key.
 */
const LOW_ORDER_Y: readonly bigint[] = [0n, 1n, FIELD - 1n, ORDER_8_Y, FIELD - ORDER_8_Y];

/**
 * Whether these 32 bytes in base64url are an Ed25519 public key that only its owner can sign for, in its one spelling:
 * false for points of low order, for a y beyond the field, and where the last character carries bits of no byte.
 */
export function isSoundPublicKey(x: string): boolean {
  const bytes = Buffer.from(x, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== x) return false;
  const encoded = BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
  const y = encoded & (SIGN_BIT - 1n);
  return y < FIELD && !LOW_ORDER_Y.includes(y);
}
