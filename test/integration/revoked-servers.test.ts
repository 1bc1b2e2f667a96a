import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { getAction } from '../../services/actions/read-actions.ts';
import { listServers } from '../../services/servers/read-servers.ts';
import { revokeServer } from '../../services/servers/revoke-server.ts';
import type { AgentStage } from '../support/agent-stage.ts';
import { openAgentStage } from '../support/agent-stage.ts';
import { createWireAgent, enrolmentOf, makeKey, post } from '../support/agent-wire.ts';
import { poll } from '../support/poll.ts';

let stage: AgentStage;
beforeAll(async () => {
  stage = await openAgentStage();
});
afterAll(() => stage.stop());

const root = () => stage.plane.asker('root');
const revoke = (server: string) => revokeServer(stage.plane.ctx, root(), { server, reason: 'it was sold' });

async function enrolByHand(server: string) {
  const key = await makeKey();
  const body = enrolmentOf({ token: await stage.makeToken(server), key });
  const { json } = await post(stage.url, 'enroll', { body });
  return createWireAgent({ url: stage.url, serverId: String(json['server_id']), key });
}

describe('revoking a server', () => {
  test('answers its held heartbeat at once with 403, and every later one', async () => {
    const agent = await enrolByHand('web-1');
    const held = agent.beat({ wait_s: 25 });
    const isHeard = async (): Promise<boolean> => {
      const row = await stage.plane.ctx.database.kysely
        .selectFrom('servers')
        .select('last_seen_at')
        .where('id', '=', agent.serverId)
        .executeTakeFirstOrThrow();
      return row.last_seen_at !== null;
    };
    await poll('the heartbeat to be heard', isHeard);
    const revokedMs = performance.now();
    expect(await revoke('web-1')).toMatchObject({ revokedAt: expect.any(Date) });
    expect(await held).toMatchObject({ status: 403, json: { code: 'server_revoked' } });
    expect(performance.now() - revokedMs).toBeLessThan(4_000); // the slow poll behind the hint is 5 s
    expect(await agent.beat()).toMatchObject({ status: 403, json: { code: 'server_revoked' } });
    const stranger = await agent.mint(await makeKey());
    expect(await agent.beat({}, { token: stranger })).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
    expect(await stage.audited('server.revoked')).toEqual([{ name: 'web-1', reason: 'it was sold', cancelled: 0 }]);
  });

  test('ends what waits there as cancelled, server_revoked, and lets nothing be asked for', async () => {
    const agent = await enrolByHand('web-2');
    const approved = await stage.request('web-2');
    await poll('the approval', async () => (await read(approved.id)).status === 'approved');
    const { pool } = stage.plane.ctx.database;
    await pool.query("update servers set paused = true where name = 'web-2'");
    const pending = await stage.request('web-2');
    await revoke('web-2');
    await revoke('web-2'); // again: nothing more
    for (const { id } of [approved, pending]) {
      expect(await stage.settle(id)).toMatchObject({
        status: 'cancelled',
        failureCode: 'server_revoked',
        cancelledBy: 'root',
        cancelReason: 'it was sold',
      });
    }
    await expect(stage.request('web-2')).rejects.toMatchObject({ code: 'unknown_server' });
    expect(await agent.beat()).toMatchObject({ status: 403 });
    const { items } = await listServers(stage.plane.ctx, root());
    expect(items.find(({ name }) => name === 'web-2')).toMatchObject({ revokedAt: expect.any(Date) });
  });

  test('an agent that runs starts nothing more, says why, and comes back with a new token only', async () => {
    const home = await stage.enroll('web-3');
    const agent = home.start(stage.url);
    expect(await stage.run('web-3')).toMatchObject({ status: 'completed' });
    const before = await stage.makeToken('web-3');
    await revoke('web-3');
    await poll('the agent to hear of it', () => agent.stderr().includes('this server was revoked'));
    expect(await agent.kill('SIGTERM')).toBe(0);
    const again = await home.run(['enroll', '--token', before], stage.url);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown, used or expired') });
    expect(existsSync(join(home.agentDir, 'key.pem'))).toBe(true);
    await home.run(['enroll', '--token', await stage.makeToken('web-3')], stage.url);
    home.start(stage.url);
    expect(await stage.run('web-3')).toMatchObject({ status: 'completed' });
    const { items } = await listServers(stage.plane.ctx, root());
    expect(items.find(({ name }) => name === 'web-3')).toMatchObject({ revokedAt: null, status: 'online' });
  });

  test('ends what its agent was handed once that cannot start any more, and not before', async () => {
    const agent = await enrolByHand('web-4');
    const { id } = await stage.request('web-4');
    await poll('the command', async () => ((await agent.beat()).json['commands'] as string[]).length === 1);
    await revoke('web-4');
    await poll('the cancellation', async () => (await read(id)).cancelReason === 'it was sold');
    expect(await read(id)).toMatchObject({ status: 'approved' }); // the agent may be starting it
  });

  test('needs a reason, and an admin', async () => {
    const { ctx } = stage.plane;
    await expect(revokeServer(ctx, root(), { server: 'web-1', reason: ' ' })).rejects.toMatchObject({
      code: 'reason_missing',
    });
    await expect(revokeServer(ctx, stage.plane.asker('bob'), { server: 'web-1', reason: 'x' })).rejects.toMatchObject({
      code: 'role_missing',
    });
    await expect(revokeServer(ctx, root(), { server: 'web-99', reason: 'x' })).rejects.toMatchObject({
      code: 'server_not_found',
    });
  });

  const read = (id: string) => getAction(stage.plane.ctx, root(), id);
});

describe('an agent that calls too often', () => {
  test('is told to wait with a code of its own, and no other agent is', async () => {
    const [busy, calm] = [await enrolByHand('rate-1'), await enrolByHand('rate-2')];
    stage.plane.config.limits = { ...stage.plane.config.limits, heartbeatsPerMinute: 5 };
    try {
      const answers = [];
      for (let calls = 0; calls < 8; calls++) answers.push(await busy.beat());
      expect(answers.map(({ status }) => status).slice(0, 6)).toEqual([200, 200, 200, 200, 200, 429]);
      expect(answers[5]).toMatchObject({
        json: { code: 'too_many_heartbeats', retry_after_s: expect.any(Number), limit: 5 },
        retryAfter: expect.stringMatching(/^\d+$/),
      });
      expect(Number(answers[5]?.retryAfter)).toBeLessThanOrEqual(12); // its share of the minute, not all of it
      expect(await calm.beat()).toMatchObject({ status: 200 });
    } finally {
      stage.plane.config.limits = { ...stage.plane.config.limits, heartbeatsPerMinute: 1_000_000 };
    }
  });

  test('is not counted for who only says that it is that agent', async () => {
    const agent = await enrolByHand('rate-3');
    stage.plane.config.limits = { ...stage.plane.config.limits, heartbeatsPerMinute: 5 };
    try {
      const thief = await makeKey();
      for (let calls = 0; calls < 50; calls++)
        expect(await agent.beat({}, { key: thief })).toMatchObject({ status: 401 });
      for (let calls = 0; calls < 5; calls++) expect(await agent.beat()).toMatchObject({ status: 200 });
    } finally {
      stage.plane.config.limits = { ...stage.plane.config.limits, heartbeatsPerMinute: 1_000_000 };
    }
  });

  test('has its body judged by size, depth and names, and is none the worse for it', async () => {
    const agent = await enrolByHand('rate-4');
    let nested: unknown = 1;
    for (let depth = 0; depth < 40; depth++) nested = { nested };
    expect(await agent.beat({ nested })).toMatchObject({ status: 400, json: { code: 'too_deep' } });
    expect(await agent.beat({ load: -1, running: [{ command_id: '../x' }] })).toMatchObject({
      status: 400,
      json: { code: 'invalid_message', errors: expect.arrayContaining([expect.objectContaining({ path: 'load' })]) },
    });
    expect(await agent.beat({ command_keys_serial: '1' })).toMatchObject({ status: 400 });
    expect(await agent.beat({ x_later: { anything: [1] } })).toMatchObject({ status: 200 });
  });
});
