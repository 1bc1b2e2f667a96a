import { beforeAll, describe, expect, test } from '@jest/globals';
import { CompactSign } from 'jose';
import { mintAgentToken, readClaimedServerId, verifyAgentToken } from '../../protocol/agent-jwt.ts';
import { signCheckpoint, verifyCheckpoint } from '../../protocol/checkpoint.ts';
import { signCommand, verifyCommand } from '../../protocol/command-jws.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { SigningKey } from '../../protocol/keys.ts';
import type { CommandPayload } from '../../protocol/messages.ts';

const payload: CommandPayload = {
  command_id: 'c-1',
  action_id: 'a-1',
  attempt: 1,
  server_id: 's-1',
  playbook: 'restart-service',
  playbook_digest: `sha256:${'a'.repeat(64)}`,
  params: { service: 'nginx' },
  dry_run: false,
  timeout_s: 60,
  nbf: 1_000,
  exp: 1_060,
  seq: 1,
  approvals: [{ by: 'auto', at: '2026-01-01T00:00:00.000Z' }],
};

let ours: SigningKey;
let theirs: SigningKey;
beforeAll(async () => {
  ours = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'test' });
  theirs = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'test' });
});

function sign(key: SigningKey, kid = key.publicKey.kid): Promise<string> {
  return signCommand({ payload, privateKey: key.privateKey, kid });
}

describe('a signed command', () => {
  test('is verified with the key that signed it', async () => {
    const reading = await verifyCommand({ jws: await sign(ours), keys: [theirs.publicKey, ours.publicKey] });
    expect(reading).toEqual({ status: 'verified', payload, kid: ours.publicKey.kid });
  });

  test('of another key, even under our key id, has a bad signature', async () => {
    const jws = await sign(theirs, ours.publicKey.kid);
    const reading = await verifyCommand({ jws, keys: [ours.publicKey] });
    expect(reading).toEqual({ status: 'bad_signature', claimed: { commandId: 'c-1', attempt: 1 } });
  });

  test('with one changed byte in its payload has a bad signature', async () => {
    const [header, , signature] = (await sign(ours)).split('.');
    const changed = Buffer.from(JSON.stringify({ ...payload, seq: 2 })).toString('base64url');
    const reading = await verifyCommand({ jws: [header, changed, signature].join('.'), keys: [ours.publicKey] });
    expect(reading.status).toBe('bad_signature');
  });

  test('with alg none or another type has a bad signature', async () => {
    const body = Buffer.from(JSON.stringify(payload)).toString('base64url');
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: ours.publicKey.kid, typ: 'medic-command' }));
    const none = `${header.toString('base64url')}.${body}.`;
    const checkpointLike = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'EdDSA', kid: ours.publicKey.kid, typ: 'medic-checkpoint' })
      .sign(ours.privateKey);
    for (const jws of [none, checkpointLike]) {
      expect((await verifyCommand({ jws, keys: [ours.publicKey] })).status).toBe('bad_signature');
    }
  });

  test.each(['', 'x', 'a.b.c', '...', `e30.${Buffer.from('{}').toString('base64url')}.x`])(
    'that cannot be read is told as unreadable: %j',
    async (jws) => {
      expect((await verifyCommand({ jws, keys: [ours.publicKey] })).status).toBe('unreadable');
    },
  );
});

describe('an agent’s token', () => {
  const nowMs = 1_700_000_000_000;
  const mint = (key: SigningKey, atMs = nowMs): Promise<string> =>
    mintAgentToken({ serverId: 's-1', privateKey: key.privateKey, kid: key.publicKey.kid, nowMs: atMs });
  const verify = async (token: string, atMs = nowMs): Promise<string> =>
    (await verifyAgentToken({ token, publicKey: ours.publicKey, nowMs: atMs })).status;

  test('is accepted until it ends, and within a minute of difference', async () => {
    const token = await mint(ours);
    expect(readClaimedServerId(token)).toBe('s-1');
    for (const offsetS of [-59, 0, 599, 655]) expect(await verify(token, nowMs + offsetS * 1000)).toBe('ok');
  });

  test('of another time is clock_skew, of another key is unauthenticated whatever its time', async () => {
    const token = await mint(ours);
    for (const offsetS of [-62, 662, 86_400]) {
      expect(await verify(token, nowMs + offsetS * 1000)).toBe('clock_skew');
      expect(await verify(await mint(theirs), nowMs + offsetS * 1000)).toBe('unauthenticated');
    }
  });

  test('that lives too long or is for somebody else is unauthenticated', async () => {
    const iat = nowMs / 1000;
    for (const claims of [
      { sub: 's-1', aud: 'medic', iat, exp: iat + 601 },
      { sub: 's-1', aud: 'other', iat, exp: iat + 60 },
      { aud: 'medic', iat, exp: iat + 60 },
    ]) {
      const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'EdDSA' })
        .sign(ours.privateKey);
      expect(await verify(token)).toBe('unauthenticated');
    }
    for (const token of ['', 'a.b.c']) expect(await verify(token)).toBe('unauthenticated');
  });
});

describe('a checkpoint', () => {
  const checkpoint = { count: 2, head: `sha256:${'b'.repeat(64)}`, at: '2026-01-01T00:00:00.000Z' };

  test('comes back from its signature, and only from ours', async () => {
    const jws = await signCheckpoint({ checkpoint, privateKey: ours.privateKey, kid: ours.publicKey.kid });
    expect(await verifyCheckpoint({ jws, keys: [ours.publicKey] })).toEqual(checkpoint);
    expect(await verifyCheckpoint({ jws, keys: [theirs.publicKey] })).toBeUndefined();
    expect(await verifyCheckpoint({ jws: await sign(ours), keys: [ours.publicKey] })).toBeUndefined();
  });
});

test('a signing key of another kind, or no key at all, is refused with a sentence', async () => {
  await expect(importSigningKey({ pem: 'nonsense', source: 'MEDIC_SIGNING_KEY' })).rejects.toMatchObject({
    code: 'bad_signing_key',
    message: expect.stringContaining('MEDIC_SIGNING_KEY must be an Ed25519 private key'),
  });
});
