import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { ConfigurationError } from '../domain/errors.ts';
import type { CommandKey, PublicKey } from './messages.ts';
import { isSoundPublicKey } from './public-key-point.ts';

export interface SigningKey {
  privateKey: KeyObject;
  /** With `kid`, the RFC 7638 thumbprint. */
  publicKey: CommandKey;
}

/** A new Ed25519 key as PKCS#8 PEM, the form in which it is kept in a file or a secret. */
export function generatePrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Throws ConfigurationError `bad_signing_key`; `source` says where the text came from and the text is never shown. */
export async function importSigningKey(input: { pem: string; source: string }): Promise<SigningKey> {
  const privateKey = readPrivateKey(input);
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw badKey(input.source, `it is a key of type ${privateKey.asymmetricKeyType ?? 'unknown'}`);
  }
  return { privateKey, publicKey: await describePublicKey(createPublicKey(privateKey), input.source) };
}

/** From the PEM of a public or a private key. Throws ConfigurationError `bad_signing_key`; the text is never shown. */
export async function importPublicKey(input: { pem: string; source: string }): Promise<CommandKey> {
  const publicKey = readPublicKey(input);
  if (publicKey.asymmetricKeyType === 'ed25519') return describePublicKey(publicKey, input.source);
  throw badKey(input.source, `it is a key of type ${publicKey.asymmetricKeyType ?? 'unknown'}`);
}

async function describePublicKey(key: KeyObject, source: string): Promise<CommandKey> {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined || !isSoundPublicKey(x)) throw badKey(source, 'its public part is none');
  const publicKey: PublicKey = { kty: 'OKP', crv: 'Ed25519', x };
  return { ...publicKey, kid: await computeKeyId(publicKey) };
}

/** The RFC 7638 thumbprint (SHA-256, base64url): the same key always has the same id. */
export function computeKeyId(key: PublicKey): Promise<string> {
  return calculateJwkThumbprint({ kty: key.kty, crv: key.crv, x: key.x });
}

export function toPublicKeyObject(key: PublicKey): KeyObject {
  return createPublicKey({ key: { kty: key.kty, crv: key.crv, x: key.x }, format: 'jwk' });
}

function readPublicKey({ pem, source }: { pem: string; source: string }): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw badKey(source, 'it cannot be read as PEM', cause);
  }
}

function readPrivateKey({ pem, source }: { pem: string; source: string }): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw badKey(source, 'it cannot be read as PEM', cause);
  }
}

function badKey(source: string, what: string, cause?: unknown): ConfigurationError {
  const message = `${source} must be an Ed25519 private key in PKCS#8 PEM, but ${what}: make one with \`openssl genpkey -algorithm ed25519\`.`;
  return new ConfigurationError(message, { code: 'bad_signing_key', cause });
}
