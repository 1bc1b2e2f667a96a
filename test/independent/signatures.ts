import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export interface PublicJwk {
  kty: string;
  crv: string;
  x: string;
  kid?: string;
}

export interface KeyPair {
  privateKey: KeyObject;
  jwk: PublicJwk;
}

export interface OpenedJws {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

export function makeKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return { privateKey, jwk: { kty: 'OKP', crv: 'Ed25519', x: String(x) } };
}

export function makeSigningKeyPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Compact JWS over a JSON payload, EdDSA. */
export function signJws(input: { header: object; payload: object; key: KeyObject }): string {
  const body = `${encodePart(input.header)}.${encodePart(input.payload)}`;
  return `${body}.${sign(null, Buffer.from(body), input.key).toString('base64url')}`;
}

/** The JWS opened with the key its `kid` names. Throws where the key is unknown or the signature does not hold. */
export function openJws(jws: string, keys: readonly PublicJwk[]): OpenedJws {
  const parts = jws.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw new Error('This is no compact JWS.');
  }
  const decodedHeader = decodePart(header);
  const jwk = keys.find((candidate) => candidate.kid === decodedHeader['kid']);
  if (jwk === undefined) throw new Error(`No key has the kid ${String(decodedHeader['kid'])}.`);
  const key = createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' });
  const isGenuine = verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
  if (!isGenuine) throw new Error('The signature does not hold.');
  return { header: decodedHeader, payload: decodePart(payload) };
}

function encodePart(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decodePart(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}
