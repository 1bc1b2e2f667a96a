import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createActivities } from '../../activities/index.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import { takePort } from '../../sandbox/ports.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { describeEnd } from '../../services/actions/describe-end.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { Context } from '../../services/context.ts';
import { enrollAgent } from '../../services/agents/enroll-agent.ts';
import { startPump } from '../../services/pump.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { unpauseServer } from '../../services/servers/unpause-server.ts';
import { createTemporalGateway } from '../../services/temporal-gateway.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
/** The same database, seen by a process that cannot reach Temporal. */
let cutOff: Context;
let deadConnection: Connection;
const underWay: Promise<unknown>[] = [];

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  const { port } = await takePort();
  deadConnection = Connection.lazy({ address: `127.0.0.1:${port}` });
  const client = new Client({ connection: deadConnection });
  const gateway = createTemporalGateway({ client, connection: deadConnection, namespace: 'default' });
  const signalFact: typeof gateway.signalFact = (fact) => {
    const delivery = gateway.signalFact(fact);
    underWay.push(delivery);
    return delivery;
  };
  cutOff = { ...plane.ctx, temporal: { ...gateway, signalFact } };
});
afterAll(async () => {
  await Promise.all(underWay); // a call that is tried again must not find its channel closed
  await deadConnection.close();
  await plane.stop();
});

const ask = (ctx: Context, server: string): Promise<ActionView> =>
  requestAction(ctx, plane.asker('ana'), { server, playbook: 'restart-service', params: { service: 'nginx' } });
const read = (id: string): Promise<ActionView> => getAction(plane.ctx, plane.asker('ana'), id);

async function pumpUntil(id: string, isReached: (action: ActionView) => boolean): Promise<ActionView> {
  const pump = startPump(plane.ctx, { periodMs: 60_000 });
  try {
    for (let round = 0; round < 100; round++) {
      await pump.runOnce();
      const action = await read(id);
      if (isReached(action)) return action;
    }
    throw new Error('the pump did not bring it there in 100 rounds');
  } finally {
    await pump.stop();
  }
}

describe('while Temporal is away', () => {
  test('a request is kept, and started by the pump', async () => {
    const asked = await ask(cutOff, (await insertTestServer(plane.ctx)).id);
    expect(asked.status).toBe('pending');
    expect(await pumpUntil(asked.id, ({ status }) => status === 'approved')).toMatchObject({ approvedBy: 'auto' });
  });

  test('a click is recorded, told as recorded, and applied once afterwards', async () => {
    const asked = await ask(plane.ctx, (await insertTestServer(plane.ctx, { isPaused: true })).id);
    const click = { actionId: asked.id, kind: 'approve' as const, decisionId: '6b1f3d0e-0000-4000-8000-000000000001' };
    const told = await decideAction(cutOff, plane.asker('bob'), click);
    expect(told).toMatchObject({ outcome: 'recorded', action: { status: 'pending' } });
    const repeated = await decideAction(plane.ctx, plane.asker('bob'), click);
    expect(repeated).toMatchObject({ outcome: 'applied', action: { status: 'approved' } });
    const again = await decideAction(plane.ctx, plane.asker('bob'), click);
    expect(again.action.approvals).toHaveLength(1);
  });

  test('a result is acknowledged only when stored, and adopted by the pump', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const asked = await ask(plane.ctx, serverId);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const command = await agent.fetchCommand();
    const offline = createScriptedAgent(cutOff, serverId);
    const answer = await offline.beatOnce({ results: [createResult(command)] });
    expect(answer).toMatchObject({ acked: [command.command_id], commands: [] });
    expect(await offline.beatOnce()).toMatchObject({ commands: [] });
    await plane.ctx.database.kysely
      .updateTable('results')
      .set({ received_at: new Date(Date.now() - 60_000) })
      .where('command_id', '=', command.command_id)
      .execute();
    expect(await pumpUntil(asked.id, ({ status }) => status === 'completed')).toMatchObject({ exitCode: 0 });
  });
});

describe('a deadline', () => {
  test('that comes before the word that the agent has begun ends nothing', async () => {
    const { database } = plane.ctx;
    const { id: serverId } = await insertTestServer(plane.ctx);
    const asked = await ask(plane.ctx, serverId);
    const command = await createScriptedAgent(plane.ctx, serverId).fetchCommand();
    const agent = createScriptedAgent(cutOff, serverId);
    await agent.beatOnce({ running: [command.command_id] });
    expect(await read(asked.id)).toMatchObject({ status: 'approved' });
    const past = new Date(Date.now() - 120_000);
    await database.kysely.updateTable('actions').set({ expires_at: past }).where('id', '=', asked.id).execute();
    await database.kysely.updateTable('commands').set({ exp: past }).where('action_id', '=', asked.id).execute();
    const state = await createActivities({ database }).enforceDeadline(asked.id);
    expect(state.status).toBe('executing');
    expect(state.deadlineAtMs).toBeGreaterThan(Date.now());
    await createScriptedAgent(plane.ctx, serverId).beatOnce({ results: [createResult(command)] });
    expect(await pumpUntil(asked.id, ({ status }) => status === 'completed')).toMatchObject({ exitCode: 0 });
  });

  test('ends what was handed out and not heard of, and says that it may have run; before that, that it never started', async () => {
    const { database } = plane.ctx;
    const past = new Date(Date.now() - 600_000);
    const endOverdue = async ({ isHandedOut, isCancelled }: { isHandedOut: boolean; isCancelled: boolean }) => {
      const { id: serverId } = await insertTestServer(plane.ctx);
      const { id } = await ask(plane.ctx, serverId);
      await pumpUntil(id, ({ status }) => status === 'approved');
      if (isHandedOut) await createScriptedAgent(plane.ctx, serverId).fetchCommand();
      if (isCancelled) await cancelAction(plane.ctx, plane.asker('bob'), { actionId: id });
      await database.kysely.updateTable('servers').set({ last_seen_at: past }).where('id', '=', serverId).execute();
      await database.kysely.updateTable('actions').set({ expires_at: past }).where('id', '=', id).execute();
      await database.kysely.updateTable('commands').set({ exp: past }).where('action_id', '=', id).execute();
      await createActivities({ database }).enforceDeadline(id);
      return read(id);
    };
    const expired = await endOverdue({ isHandedOut: true, isCancelled: false });
    expect(expired).toMatchObject({ status: 'expired', failureCode: 'agent_offline', mayHaveRun: true });
    expect(describeEnd(expired)).toMatch(/it may have run\. Ask again\.$/);
    const cancelled = await endOverdue({ isHandedOut: true, isCancelled: true });
    expect(cancelled).toMatchObject({ status: 'cancelled', failureCode: null, mayHaveRun: true });
    expect(describeEnd(cancelled)).toMatch(/it may have run\.$/);
    const unstarted = await endOverdue({ isHandedOut: false, isCancelled: false });
    expect(unstarted).toMatchObject({ status: 'expired', failureCode: 'agent_offline', mayHaveRun: false });
    expect(describeEnd(unstarted)).toMatch(/so it was never started\. Ask again\.$/);
  });

  test('does not move with the clock of an agent', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const asked = await ask(plane.ctx, serverId);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const command = await agent.fetchCommand();
    await agent.beatOnce({ running: [command.command_id], startedAt: '2099-01-01T00:00:00.000Z' });
    const executing = await pumpUntil(asked.id, ({ status }) => status === 'executing');
    expect(executing.executedAt?.getTime()).toBeLessThanOrEqual(Date.now());
    await agent.beatOnce({ results: [createResult(command)] });
    await pumpUntil(asked.id, ({ status }) => status === 'completed');
  });

  test('that has passed is told to whoever decides before the workflow says so', async () => {
    const asked = await ask(plane.ctx, (await insertTestServer(plane.ctx, { isPaused: true })).id);
    const past = { expires_at: new Date(Date.now() - 1_000) };
    await plane.ctx.database.kysely.updateTable('actions').set(past).where('id', '=', asked.id).execute();
    await expect(
      decideAction(plane.ctx, plane.asker('bob'), { actionId: asked.id, kind: 'approve' }),
    ).rejects.toMatchObject({ code: 'expired', message: expect.stringContaining('The time to decide') });
    await cancelAction(plane.ctx, plane.asker('ana'), { actionId: asked.id });
  });
});

test('a decision that is not in the database is answered, and its action goes on', async () => {
  const asked = await ask(plane.ctx, (await insertTestServer(plane.ctx, { isPaused: true })).id);
  const decisionId = '6b1f3d0e-0000-4000-8000-00000000dead';
  const answer = await plane.ctx.temporal.decide({ actionId: asked.id, decisionId });
  expect(answer).toMatchObject({ kind: 'answered', answer: { wasApplied: false, code: 'decision_missing' } });
  const approved = await decideAction(plane.ctx, plane.asker('bob'), { actionId: asked.id, kind: 'approve' });
  expect(approved).toMatchObject({ outcome: 'applied', action: { status: 'approved' } });
});

describe('pausing a server', () => {
  test('ends what auto approved there and was not handed out, and leaves what runs', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const running = await ask(plane.ctx, serverId);
    const command = await agent.fetchCommand();
    const waiting = await ask(plane.ctx, serverId);
    await pumpUntil(waiting.id, ({ status }) => status === 'approved');
    await pauseServer(plane.ctx, plane.asker('bob'), { server: serverId, reason: 'looking into it' });
    const ended = await pumpUntil(waiting.id, ({ status }) => status === 'cancelled');
    expect(ended).toMatchObject({ failureCode: 'server_paused', cancelledBy: 'bob' });
    await agent.beatOnce({ running: [command.command_id] });
    await agent.beatOnce({ results: [createResult(command)] });
    await pumpUntil(running.id, ({ status }) => status === 'completed');
    const asked = await ask(plane.ctx, serverId);
    await unpauseServer(plane.ctx, plane.asker('bob'), { server: serverId });
    expect(await read(asked.id)).toMatchObject({ status: 'pending', approvalsRequired: 1 });
  });
});

describe('cancelling', () => {
  test('a command that runs asks the agent, and ends when the agent says so', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const asked = await ask(plane.ctx, serverId);
    const command = await agent.fetchCommand();
    await agent.beatOnce({ running: [command.command_id] });
    const told = await cancelAction(plane.ctx, plane.asker('ana'), { actionId: asked.id, reason: 'wrong one' });
    expect(told.action.status).not.toBe('cancelled');
    const answer = await agent.beatOnce({ running: [command.command_id], waitS: 5 });
    expect(answer.cancel).toEqual([command.command_id]);
    await agent.beatOnce({ results: [createResult(command, { status: 'cancelled', exit_code: null })] });
    const ended = await pumpUntil(asked.id, ({ status }) => status === 'cancelled');
    expect(ended).toMatchObject({ cancelledBy: 'ana', cancelReason: 'wrong one' });
  });
});

describe('a replayed heartbeat', () => {
  test('is refused with the last session, and changes nothing', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    await agent.beatOnce();
    const older = createScriptedAgent(plane.ctx, serverId, { startedAt: new Date(0).toISOString() });
    await expect(older.beatOnce()).rejects.toMatchObject({ code: 'stale_heartbeat', details: { last: { beat: 1 } } });
  });
});

describe('a result', () => {
  test('is not answered with the command that it ends', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    await ask(plane.ctx, serverId);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const command = await agent.fetchCommand();
    const cutOffAgent = createScriptedAgent(cutOff, serverId); // its workflow hears of it only later
    const answer = await cutOffAgent.beatOnce({ results: [createResult(command)] });
    expect(answer).toMatchObject({ acked: [command.command_id], commands: [] });
  });

  test.each([{ exit_code: 1 }, { signal: 'SIGKILL' }, { exit_code: null }, { status: 'failed', exit_code: 0 }])(
    'that contradicts itself (%j) is kept as late and moves nothing',
    async (change) => {
      const { id: serverId } = await insertTestServer(plane.ctx);
      const asked = await ask(plane.ctx, serverId);
      const agent = createScriptedAgent(plane.ctx, serverId);
      const command = await agent.fetchCommand();
      await agent.beatOnce({ running: [command.command_id] });
      const answer = await agent.beatOnce({ running: [command.command_id], results: [createResult(command, change)] });
      expect(answer.acked).toEqual([command.command_id]);
      await pumpUntil(asked.id, ({ status }) => status === 'executing');
      expect(await read(asked.id)).toMatchObject({ status: 'executing', hasLateResult: true });
    },
  );
});

describe('a server that is enrolled anew', () => {
  test('is never handed what its old agent may have run', async () => {
    const { id: serverId, name } = await insertTestServer(plane.ctx);
    const asked = await ask(plane.ctx, serverId);
    await createScriptedAgent(plane.ctx, serverId).fetchCommand();
    const { token } = await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: name });
    const { publicKey } = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
    const { kid: _kid, ...jwk } = publicKey;
    const body = { protocol: 1, token, hostname: 'h', public_key: jwk, agent_version: '1', os: 'linux', playbooks: [] };
    expect(await enrollAgent(plane.ctx, body)).toMatchObject({ server_id: serverId });
    expect((await createScriptedAgent(plane.ctx, serverId).beatOnce()).commands).toEqual([]);
    const recalled = await pumpUntil(asked.id, ({ cancelRequestedAt }) => cancelRequestedAt !== null);
    expect(recalled).toMatchObject({ cancelledBy: 'system' });
  });
});
