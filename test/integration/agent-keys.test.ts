import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { announceNextKey } from '../../protocol/agent-key-change.ts';
import { importSigningKey } from '../../protocol/keys.ts';
import type { SigningKey } from '../../protocol/keys.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import type { AgentStage } from '../support/agent-stage.ts';
import { openAgentStage } from '../support/agent-stage.ts';
import { createWireAgent, enrolmentOf, makeKey, post } from '../support/agent-wire.ts';
import type { WireAnswer } from '../support/agent-wire.ts';
import { poll } from '../support/poll.ts';

let stage: AgentStage;
beforeAll(async () => {
  stage = await openAgentStage();
});
afterAll(() => stage.stop());

const readKey = (home: AgentHome): Promise<SigningKey> =>
  importSigningKey({ pem: readFileSync(join(home.agentDir, 'key.pem'), 'utf8'), source: 'the agent' });

async function keysOf(serverId: string): Promise<{ kid: string; isNext: boolean; isRevoked: boolean }[]> {
  const { kysely } = stage.plane.ctx.database;
  const query = kysely.selectFrom('agent_keys').selectAll().where('server_id', '=', serverId).orderBy('created_at');
  return (await query.execute()).map((row) => ({
    kid: row.kid,
    isNext: row.is_next,
    isRevoked: row.revoked_at !== null,
  }));
}

async function enrolByHand(server: string) {
  const key = await makeKey();
  const token = await stage.makeToken(server);
  const { status, json } = await post(stage.url, 'enroll', { body: enrolmentOf({ token, key }) });
  expect(status).toBe(201);
  return { key, agent: createWireAgent({ url: stage.url, serverId: String(json['server_id']), key }) };
}

describe('an agent changes its own key', () => {
  test('while it runs, and loses no command before, during and after', async () => {
    const home = await stage.enroll('web-1');
    const serverId = await stage.serverId('web-1');
    const former = await readKey(home);
    const agent = home.start(stage.url);
    expect(await stage.run('web-1')).toMatchObject({ status: 'completed' });
    const { stdout } = await home.run(['rotate-key', '--json'], stage.url);
    const { kid } = JSON.parse(stdout) as { kid: string };
    const during = [await stage.request('web-1'), await stage.request('web-1')]; // they wake what waits
    for (const { id } of during) expect(await stage.settle(id)).toMatchObject({ status: 'completed' });
    await poll(
      'the new key to be in use',
      async () => (await keysOf(serverId)).every((key) => !key.isNext) && (await keysOf(serverId)).length === 2,
    );
    expect(await keysOf(serverId)).toEqual([
      { kid: former.publicKey.kid, isNext: false, isRevoked: true },
      { kid, isNext: false, isRevoked: false },
    ]);
    expect((await readKey(home)).publicKey.kid).toBe(kid);
    expect(await stage.run('web-1')).toMatchObject({ status: 'completed' });
    expect(agent.stderr()).not.toMatch(/enrol again|"level":"error"/);
    expect(await stage.audited('server.key_announced')).toEqual([{ kid, vouched_by: former.publicKey.kid }]);
    expect(await stage.audited('server.key_changed')).toEqual([{ kid, former_kid: former.publicKey.kid }]);
    const thief = createWireAgent({ url: stage.url, serverId, key: former });
    expect(await thief.beat()).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
  });

  test('by what both keys have signed: a token alone, or a key of somebody else, changes nothing', async () => {
    const { key: current, agent } = await enrolByHand('web-2');
    const other = await enrolByHand('web-3');
    const [next, thief] = [await makeKey(), await makeKey()];
    const { serverId } = agent;
    const sound = await announceNextKey({ serverId, current, next });
    const stolen = await announceNextKey({ serverId, current: thief, next: thief });
    const lies = [
      stolen,
      { ...stolen, signed_by_current: sound.signed_by_current },
      { ...sound, signed_by_next: sound.signed_by_current },
      { ...sound, public_key: stolen.public_key },
      await announceNextKey({ serverId: other.agent.serverId, current, next }),
      await announceNextKey({ serverId, current, next: other.key }),
    ];
    for (const next_key of lies) {
      const answer = await agent.beat({ next_key });
      expect([answer.status, answer.json['next_key_kid']]).toEqual([200, undefined]);
    }
    expect(await keysOf(serverId)).toHaveLength(1);
    expect(await agent.beat({ next_key: { public_key: sound.public_key } })).toMatchObject({
      status: 400,
      json: { code: 'invalid_message' },
    });
    expect(await agent.beat({}, { key: thief })).toMatchObject({ status: 401 });
  });

  test('may use either until it calls with the new one, however often the answer was lost', async () => {
    const { key: current, agent } = await enrolByHand('web-4');
    const [dropped, next] = [await makeKey(), await makeKey()];
    const { serverId } = agent;
    const announce = async (key: SigningKey): Promise<WireAnswer> =>
      agent.beat({ next_key: await announceNextKey({ serverId, current, next: key }) });
    expect((await announce(dropped)).json).toMatchObject({ next_key_kid: dropped.publicKey.kid });
    for (let lost = 0; lost < 2; lost++) {
      expect((await announce(next)).json).toMatchObject({ next_key_kid: next.publicKey.kid });
    }
    expect(await agent.beat({}, { key: dropped })).toMatchObject({ status: 401 });
    expect(await agent.beat()).toMatchObject({ status: 200 });
    expect(await agent.beat({}, { key: next })).toMatchObject({ status: 200 });
    expect(await agent.beat()).toMatchObject({ status: 401 });
    expect(await announce(current)).toMatchObject({ status: 401 });
    expect((await keysOf(serverId)).filter(({ isRevoked }) => !isRevoked)).toEqual([
      { kid: next.publicKey.kid, isNext: false, isRevoked: false },
    ]);
  });
});

describe('an enrolment token', () => {
  const REFUSED = { status: 401, json: { code: 'invalid_enrollment_token' } };
  const enroll = async (token: string, change: { key?: SigningKey; hostname?: string } = {}): Promise<WireAnswer> =>
    post(stage.url, 'enroll', { body: enrolmentOf({ key: await makeKey(), token, ...change }) });

  test('that is guessed, used or expired is refused in the same words', async () => {
    const used = await stage.makeToken('token-1');
    expect(await enroll(used)).toMatchObject({ status: 201 });
    const expired = await stage.makeToken('token-2');
    const { pool } = stage.plane.ctx.database;
    await pool.query("update enrollment_tokens set expires_at = now() where server_name = 'token-2'");
    const fresh = await stage.makeToken('token-3');
    const guessed = [`medic_enroll_${'A'.repeat(43)}`, fresh.slice(0, -1), fresh.toUpperCase(), 'token-3', "' or 1=1"];
    const answers = await Promise.all([used, expired, ...guessed].map((token) => enroll(token)));
    for (const answer of answers) expect(answer).toMatchObject(REFUSED);
    expect(new Set(answers.map(({ json }) => json['detail'])).size).toBe(1);
    expect(await enroll(fresh)).toMatchObject({ status: 201 });
  });

  test('that is used by twenty at once lets one in', async () => {
    const token = await stage.makeToken('token-4');
    const answers = await Promise.all(Array.from({ length: 20 }, () => enroll(token)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await keysOf(await stage.serverId('token-4'))).toHaveLength(1);
  });

  test('of one server opens no other, whatever name the agent says and whose key it has', async () => {
    const victim = await enrolByHand('token-5');
    const before = await keysOf(victim.agent.serverId);
    const token = await stage.makeToken('token-6');
    expect(await enroll(token, { key: victim.key })).toMatchObject({ status: 409, json: { code: 'key_in_use' } });
    const said = { ...enrolmentOf({ token, key: await makeKey(), hostname: 'token-5' }), server_name: 'token-5' };
    const answer = await post(stage.url, 'enroll', { body: { ...said, server_id: victim.agent.serverId } });
    expect(answer).toMatchObject({ status: 201, json: { server_id: await stage.serverId('token-6') } });
    expect(await keysOf(victim.agent.serverId)).toEqual(before);
    expect(await victim.agent.beat()).toMatchObject({ status: 200 });
  });
});
