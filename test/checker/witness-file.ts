import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import type { Checkpoint } from './evidence.ts';

/** Signed checkpoints, one a line; their signatures are checked where keys are given. Throws where one is bad. */
export function readWitness(text: string, keys: readonly JsonWebKey[] | undefined): Checkpoint[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => openCheckpoint(line, keys));
}

export function openCheckpoint(jws: string, keys: readonly JsonWebKey[] | undefined): Checkpoint {
  const [header = '', payload = '', signature = ''] = jws.trim().split('.');
  const signed = Buffer.from(`${header}.${payload}`, 'ascii');
  const bytes = Buffer.from(signature, 'base64url');
  const isGood = keys?.some((key) => verify(null, signed, createPublicKey({ key, format: 'jwk' }), bytes)) ?? true;
  const { typ } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { typ?: string };
  if (!isGood || typ !== 'medic-checkpoint') throw new Error('the checkpoint is signed by none of these keys');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Checkpoint;
}
