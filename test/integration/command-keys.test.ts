import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signCommand } from '../../protocol/command-jws.ts';
import { verifyCheckpoint } from '../../protocol/checkpoint.ts';
import type { SigningKey } from '../../protocol/keys.ts';
import { signKeySet } from '../../protocol/key-set.ts';
import type { CommandKey, CommandPayload, HeartbeatRequest } from '../../protocol/messages.ts';
import { readNewestCheckpoint } from '../../services/audit/read-audit.ts';
import { signNextCheckpoint } from '../../services/audit/sign-checkpoint.ts';
import { addCommandKey, listCommandKeys, retireCommandKey } from '../../services/keys/change-command-keys.ts';
import { checkSigner } from '../../services/keys/command-keys.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { AgentStage } from '../support/agent-stage.ts';
import { openAgentStage, readEnrolment, signWith } from '../support/agent-stage.ts';
import { makeKey } from '../support/agent-wire.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';

const kidsOf = (keys: readonly CommandKey[]): string[] => keys.map(({ kid }) => kid);

describe('a change of the key that signs commands', () => {
  let stage: AgentStage;
  let home: AgentHome;
  let away: AgentHome;
  let [a, b]: SigningKey[] = [];
  const sets: string[] = [];

  beforeAll(async () => {
    stage = await openAgentStage();
    [a, b] = [await makeKey(), await makeKey()];
    signWith(stage, old());
    home = await stage.enroll('web-1');
    away = await stage.enroll('web-2');
  });
  afterAll(() => stage.stop());

  const old = (): SigningKey => a as SigningKey;
  const next = (): SigningKey => b as SigningKey;
  const root = () => stage.plane.asker('root');
  const knows = (agent: AgentHome, serial: number): Promise<boolean> =>
    poll('the agent to know the keys', () => readEnrolment(agent).command_keys_serial === serial);
  const signers = async (): Promise<unknown[]> => (await stage.audited('command.issued')).map(({ kid }) => kid);

  test('loses no command before, during and after, and the witness can be checked over it', async () => {
    const agent = home.start(stage.url);
    const ends = [(await stage.run('web-1')).status];
    await signNextCheckpoint(stage.plane.ctx);
    await addCommandKey(stage.plane.ctx, root(), next().publicKey);
    await knows(home, 1);
    for (const key of [old(), next(), old(), next()]) {
      signWith(stage, key); // processes with the old key and with the new one, side by side
      ends.push((await stage.run('web-1')).status);
    }
    await retireCommandKey(stage.plane.ctx, root(), old().publicKey.kid);
    await knows(home, 2);
    ends.push((await stage.run('web-1')).status);
    await stage.plane.ctx.database.pool.query('alter table checkpoints disable trigger user');
    await stage.plane.ctx.database.pool.query("update checkpoints set signed_at = signed_at - interval '1 hour'");
    expect(await signNextCheckpoint(stage.plane.ctx)).toBe('signed');
    ends.push((await stage.run('web-1')).status);
    expect(ends).toEqual(Array.from({ length: 7 }, () => 'completed'));
    const [one, two] = [old().publicKey.kid, next().publicKey.kid];
    expect(await signers()).toEqual([one, one, two, one, two, two, two]);
    expect(await stage.audited('command.refused')).toEqual([]);
    expect(agent.stderr()).not.toMatch(/dropped|ignored|refused/);
    await expectWitnessHolds();
  });

  /** Each checkpoint with the key of its kid, as the agent and the API name the keys. */
  async function expectWitnessHolds(): Promise<void> {
    const { stdout } = await home.run(['witness'], stage.url);
    const printed = await home.run(['witness', '--keys', '--json'], stage.url);
    const { keys } = JSON.parse(printed.stdout) as { keys: CommandKey[] };
    const checkpoints = stdout.trim().split('\n');
    expect(checkpoints).toHaveLength(2);
    for (const known of [keys, (await readNewestCheckpoint(stage.plane.ctx, root())).keys]) {
      expect(kidsOf(known).toSorted()).toEqual([old().publicKey.kid, next().publicKey.kid].toSorted());
      for (const jws of checkpoints) expect(await verifyCheckpoint({ jws, keys: known })).toBeDefined();
    }
  }

  test('is followed by an agent that was away all the while', async () => {
    const waiting = await stage.request('web-2');
    expect(kidsOf(readEnrolment(away).command_keys)).toEqual([old().publicKey.kid]);
    const agent = away.start(stage.url);
    expect(await stage.settle(waiting.id)).toMatchObject({ status: 'completed' });
    await agent.kill('SIGTERM');
    expect(readEnrolment(away)).toMatchObject({ command_keys: [next().publicKey], command_keys_serial: 2 });
    expect(await stage.audited('command.refused')).toEqual([]);
  });

  test('is told to who enrols', async () => {
    const late = await stage.enroll('web-3');
    expect(readEnrolment(late)).toMatchObject({ command_keys: [next().publicKey], command_keys_serial: 2 });
  });

  test('leaves no word of the network alone: only a key that is trusted names another', async () => {
    const rows = await stage.plane.ctx.database.kysely.selectFrom('command_key_sets').select('jws').execute();
    sets.push(...rows.map(({ jws }) => jws));
    const network = await startFakeControlPlane();
    try {
      await expectNothingGained(network);
    } finally {
      await network.close();
    }
  });

  async function expectNothingGained(network: FakeControlPlane): Promise<void> {
    const evil = await makeKey();
    const serverId = await stage.serverId('web-2');
    const sign = async (key: SigningKey, id: string): Promise<string> => {
      const payload = JSON.parse(
        Buffer.from(
          (await network.sign({ command_id: id, server_id: serverId })).split('.')[1] ?? '',
          'base64url',
        ).toString(),
      ) as CommandPayload;
      const digest = stage.plane.config.playbooks.get('run-script')?.digest ?? '';
      return signCommand({
        payload: { ...payload, seq: payload.seq + 100, playbook_digest: digest },
        privateKey: key.privateKey,
        kid: key.publicKey.kid,
      });
    };
    const vouch = (key: SigningKey, serial: number): Promise<string> =>
      signKeySet({
        set: { serial, keys: [evil.publicKey], at: new Date().toISOString() },
        privateKey: key.privateKey,
        kid: key.publicKey.kid,
      });
    const lies = [
      { command_keys: [evil.publicKey] },
      { command_keys: [evil.publicKey], command_keys_proof: [] },
      { command_keys: [evil.publicKey], command_keys_proof: [await vouch(evil, 3)] },
      { command_keys: [evil.publicKey], command_keys_proof: [await vouch(old(), 3)] },
      { command_keys: [old().publicKey], command_keys_proof: sets },
      { command_keys_proof: [sets[0], await vouch(old(), 3), sets[1]] },
    ];
    const told = [...lies];
    const commands = [await sign(evil, 'c-evil'), await sign(old(), 'c-retired')];
    network.set({
      intercept: () => {
        const lie = told.shift();
        return lie === undefined ? undefined : { status: 200, body: { ...emptyAnswer(), ...lie, commands } };
      },
    });
    const stopped = away.start(network.url);
    const refusals = await poll('the refusals', () => findRefusals(network));
    expect(refusals).toEqual([
      { id: 'c-evil', code: 'bad_signature' },
      { id: 'c-retired', code: 'bad_signature' },
    ]);
    await network.beat(() => told.length === 0 && network.beats.length > lies.length);
    network.handOut(await sign(evil, 'c-evil'), await sign(next(), 'c-signed'));
    expect(await network.result('c-signed')).toMatchObject({ status: 'completed' });
    expect(network.beats.flatMap(({ results }) => results)).not.toContainEqual(
      expect.objectContaining({ command_id: 'c-evil', status: 'completed' }),
    );
    expect(readEnrolment(away)).toMatchObject({ command_keys: [next().publicKey], command_keys_serial: 2 });
    expect(stopped.stderr()).toContain('ignored command keys that no key we trust vouches for');
  }

  function findRefusals(network: FakeControlPlane): { id: string; code: string | undefined }[] | null {
    const results = network.beats.flatMap(
      (beat: HeartbeatRequest) => beat.results as { command_id: string; code?: string }[],
    );
    const found = new Map(results.map(({ command_id: id, code }) => [id, { id, code }]));
    const wanted = ['c-evil', 'c-retired'].flatMap((id) => found.get(id) ?? []);
    return wanted.length === 2 ? wanted : null;
  }
});

const emptyAnswer = (): object => ({
  server_time: new Date().toISOString(),
  ...{ paused: false, halted: false, acked: [], cancel: [], heartbeat_interval_s: 0.1 },
});

describe('the operator of the keys', () => {
  test('cannot end a key that signs, bring one back, or start with a retired one', async () => {
    const plane = await createTestControlPlane();
    try {
      const { ctx } = plane;
      const root = plane.asker('root');
      const first = ctx.signer;
      const next = await makeKey();
      const { kid, x } = next.publicKey;
      await checkSigner(ctx); // no change was ever made
      expect(await listCommandKeys(ctx, root)).toMatchObject([{ kid: first.kid, state: 'signing' }]);
      await expect(addCommandKey(ctx, plane.asker('bob'), next.publicKey)).rejects.toMatchObject({
        code: 'role_missing',
      });
      await addCommandKey(ctx, root, next.publicKey);
      await addCommandKey(ctx, root, next.publicKey); // again: nothing more
      await expect(retireCommandKey(ctx, root, first.kid)).rejects.toMatchObject({ code: 'key_in_use' });
      await expect(retireCommandKey(ctx, root, 'nobody')).rejects.toMatchObject({ code: 'command_key_not_found' });
      ctx.signer = { kid, privateKey: next.privateKey, publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid } };
      await checkSigner(ctx);
      const keys = await retireCommandKey(ctx, root, first.kid);
      expect(keys).toMatchObject([
        { kid: first.kid, state: 'retired', addedAt: null, retiredAt: expect.any(Date) },
        { kid, state: 'signing', addedAt: expect.any(Date), retiredAt: null },
      ]);
      await expect(addCommandKey(ctx, root, first.publicJwk)).rejects.toMatchObject({ code: 'key_was_retired' });
      ctx.signer = first;
      await expect(checkSigner(ctx)).rejects.toMatchObject({ code: 'retired_signing_key' });
      await expect(addCommandKey(ctx, root, (await makeKey()).publicKey)).rejects.toMatchObject({
        code: 'retired_signing_key',
      });
      const { rows } = await ctx.database.pool.query('select serial, keys from command_key_sets order by serial');
      expect(rows).toMatchObject([
        { serial: 1, keys: [{ kid: first.kid }, { kid }] },
        { serial: 2, keys: [{ kid }] },
      ]);
      await expect(ctx.database.pool.query('delete from command_key_sets')).rejects.toThrow('only grow');
    } finally {
      await plane.stop();
    }
  });
});
