import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { toPublicKeyObject } from './keys.ts';
import { parseCommandPayload } from './messages.ts';
import type { CommandKey, CommandPayload } from './messages.ts';

export const COMMAND_TYPE = 'medic-command';

export type CommandReading =
  | { status: 'verified'; payload: CommandPayload; kid: string }
  /** Readable, but not signed by a key we know: the payload is a stranger's word, good for naming it only. */
  | { status: 'bad_signature'; claimed: { commandId: string; attempt: number } }
  | { status: 'unreadable'; reason: string };

export function signCommand(input: { payload: CommandPayload; privateKey: KeyObject; kid: string }): Promise<string> {
  return new CompactSign(encode(input.payload))
    .setProtectedHeader({ alg: 'EdDSA', kid: input.kid, typ: COMMAND_TYPE })
    .sign(input.privateKey);
}

/** Checks form and signature only; server, window, `seq` and content are the agent's to judge. Never throws. */
export async function verifyCommand(input: { jws: string; keys: readonly CommandKey[] }): Promise<CommandReading> {
  const claimed = readUnverified(input.jws);
  if ('reason' in claimed) return { status: 'unreadable', reason: claimed.reason };
  const refused: CommandReading = {
    status: 'bad_signature',
    claimed: { commandId: claimed.payload.command_id, attempt: claimed.payload.attempt },
  };
  const key = input.keys.find((candidate) => candidate.kid === claimed.kid);
  if (key === undefined || claimed.typ !== COMMAND_TYPE) return refused;
  try {
    await compactVerify(input.jws, toPublicKeyObject(key), { algorithms: ['EdDSA'] });
  } catch {
    return refused;
  }
  return { status: 'verified', payload: claimed.payload, kid: key.kid };
}

type Unverified = { kid: unknown; typ: unknown; payload: CommandPayload } | { reason: string };

function readUnverified(jws: string): Unverified {
  try {
    const header = decodeProtectedHeader(jws);
    const reading = parseCommandPayload(JSON.parse(decodePayload(jws)));
    if (!reading.isValid) {
      return { reason: reading.errors.map((error) => `${error.path} ${error.message}`).join('; ') };
    }
    return { kid: header.kid, typ: header.typ, payload: reading.value };
  } catch {
    return { reason: 'it is no compact JWS over JSON' };
  }
}

function decodePayload(jws: string): string {
  const parts = jws.split('.');
  if (parts.length !== 3) throw new Error('not three parts');
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(parts[1] ?? '', 'base64url'));
}

function encode(payload: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(payload));
}
