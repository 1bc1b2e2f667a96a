import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { announceNextKey } from '../protocol/agent-key-change.ts';
import { generatePrivateKeyPem, importSigningKey } from '../protocol/keys.ts';
import type { SigningKey } from '../protocol/keys.ts';
import type { NextAgentKey } from '../protocol/messages.ts';
import type { Identity } from './agent-folder.ts';
import { KEY } from './agent-folder.ts';
import { writeDurably } from './durable-file.ts';
import { readErrorCode } from './failure.ts';
import type { Log } from './log.ts';

const NEXT_KEY = 'key.next.pem';

/*
 * The agent's next key: drafted beside the one in use, announced in its heartbeats, and in its place once the control
 * plane has answered that it may be used. A crash at any moment leaves one of the two that it may call with.
 */

/** A new key beside the old one, which stays valid until the new one is accepted. */
export async function draftKey(folder: string): Promise<SigningKey> {
  const pem = generatePrivateKeyPem();
  await writeDurably(join(folder, NEXT_KEY), { text: pem, step: 'agent.next_key' });
  return importSigningKey({ pem, source: NEXT_KEY });
}

/** Null where none is drafted. Throws where it cannot be read, or is none. */
export async function readNextKey(folder: string): Promise<SigningKey | null> {
  const path = join(folder, NEXT_KEY);
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    if (readErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  return pem === null ? null : importSigningKey({ pem, source: path });
}

/** On disk in the place of the old one when it returns. */
export async function takeNextKey(folder: string): Promise<void> {
  const text = await readFile(join(folder, NEXT_KEY), 'utf8');
  await writeDurably(join(folder, KEY), { text, step: 'agent.key' });
  await unlink(join(folder, NEXT_KEY)).catch(() => undefined); // one that is left over is found to be in use already
}

/** What a heartbeat says of the next key; nothing where there is none, or only one that cannot be read. */
export async function describeNextKey(
  folder: string,
  { key, enrolment }: Identity,
): Promise<{ next_key?: NextAgentKey }> {
  const next = await readNextKey(folder).catch(() => null);
  if (next === null || next.publicKey.kid === key.publicKey.kid) return {};
  return { next_key: await announceNextKey({ serverId: enrolment.server_id, current: key, next }) };
}

/** The identity to go on with, where the control plane says that the next key may be used; else the same. */
export async function adoptNextKey(
  folder: string,
  input: { identity: Identity; acceptedKid: string | undefined; log: Log },
): Promise<Identity> {
  const { identity, acceptedKid, log } = input;
  if (acceptedKid === undefined || acceptedKid === identity.key.publicKey.kid) return identity;
  try {
    const next = await readNextKey(folder);
    if (next?.publicKey.kid !== acceptedKid) return identity;
    await takeNextKey(folder);
    log('info', 'the agent has a new key', { kid: acceptedKid });
    return { ...identity, key: next };
  } catch (error) {
    log('warn', 'the next key could not be put in place: the old one stays', { error: String(error) });
    return identity;
  }
}
