import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import { actionWorkflowId } from '../../workflows/contracts/action.contract.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});
afterAll(() => plane.stop());

const ask = (server: string): Promise<ActionView> =>
  requestAction(plane.ctx, plane.asker('ana'), { server, playbook: 'restart-service', params: { service: 'nginx' } });

/** Waits for the workflow's own end, then reads the row. */
async function waitForEnd(id: string): Promise<ActionView> {
  const connection = await Connection.connect({ address: process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] ?? '' });
  await new Client({ connection }).workflow.getHandle(actionWorkflowId(id)).result();
  await connection.close();
  return getAction(plane.ctx, plane.asker('ana'), id);
}

async function countEvents(id: string): Promise<number> {
  const connection = await Connection.connect({ address: process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] ?? '' });
  const history = await new Client({ connection }).workflow.getHandle(actionWorkflowId(id)).fetchHistory();
  await connection.close();
  return history.events?.length ?? 0;
}

describe('an action on a normal server', () => {
  test('is approved by auto, runs and completes', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const asked = await ask(serverId);
    const command = await agent.fetchCommand();
    expect(command).toMatchObject({ action_id: asked.id, seq: 1, attempt: 1, params: { service: 'nginx' } });
    await agent.beatOnce({ running: [command.command_id] });
    const answer = await agent.beatOnce({ results: [createResult(command, { stdout: 'fine' })] });
    expect(answer.acked).toEqual([command.command_id]);
    const ended = await waitForEnd(asked.id);
    expect(ended).toMatchObject({ status: 'completed', approvedBy: 'auto', exitCode: 0, stdout: 'fine' });
    expect(await countEvents(asked.id)).toBeLessThanOrEqual(20);
  });

  test('ends as failed with the code of its result', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const asked = await ask(serverId);
    const command = await agent.fetchCommand();
    await agent.beatOnce({ results: [createResult(command, { status: 'failed', exit_code: 7 })] });
    expect(await waitForEnd(asked.id)).toMatchObject({ status: 'failed', failureCode: 'exit_nonzero', exitCode: 7 });
  });
});

describe('an action on a paused server', () => {
  test('waits for a person, refuses the requester and runs for another', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx, { isPaused: true });
    const agent = createScriptedAgent(plane.ctx, serverId);
    const asked = await ask(serverId);
    expect(asked.status).toBe('pending');
    const approve = (name: string) =>
      decideAction(plane.ctx, plane.asker(name), { actionId: asked.id, kind: 'approve' });
    await expect(approve('ana')).rejects.toMatchObject({ code: 'not_an_approver' });
    expect(await approve('cid')).toMatchObject({
      outcome: 'applied',
      action: { status: 'approved', approvedBy: 'cid' },
    });
    await expect(approve('bob')).rejects.toMatchObject({ code: 'already_decided' });
    const command = await agent.fetchCommand();
    await agent.beatOnce({ running: [command.command_id] });
    await agent.beatOnce({ results: [createResult(command)] });
    expect(await waitForEnd(asked.id)).toMatchObject({ status: 'completed', approvals: [{ by: 'cid' }] });
    expect(await countEvents(asked.id)).toBeLessThanOrEqual(28);
  });

  test('leaves in the audit what a start is judged by: its bounds, its first expiry, its approvals', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx, { isPaused: true });
    const asked = await ask(serverId);
    await decideAction(plane.ctx, plane.asker('cid'), { actionId: asked.id, kind: 'approve' });
    const command = await createScriptedAgent(plane.ctx, serverId).fetchCommand();
    const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
    const dataOf = (id: string) => items.find(({ subject }) => subject.id === id)?.data;
    const bounds = { approval_timeout_s: 60, start_within_s: 60, timeout_s: command.timeout_s };
    expect(dataOf(asked.id)).toMatchObject(bounds);
    const issued = dataOf(command.command_id);
    expect(issued).toMatchObject({ approvals: command.approvals });
    expect(command.approvals).toMatchObject([{ by: 'cid' }]);
    expect(Math.floor(Date.parse(String(issued?.['exp'])) / 1000)).toBe(command.exp);
  });

  test('ends as rejected, with the reason', async () => {
    const asked = await ask((await insertTestServer(plane.ctx, { isPaused: true })).id);
    const input = { actionId: asked.id, kind: 'reject' as const, reason: 'not now' };
    await decideAction(plane.ctx, plane.asker('bob'), input);
    expect(await waitForEnd(asked.id)).toMatchObject({
      status: 'rejected',
      rejectedBy: 'bob',
      rejectionReason: 'not now',
    });
  });

  test('expires when nobody decides', async () => {
    plane.config.approvalTimeoutMs = 1_000;
    const asked = await ask((await insertTestServer(plane.ctx, { isPaused: true })).id);
    plane.config.approvalTimeoutMs = 60_000;
    expect(await waitForEnd(asked.id)).toMatchObject({ status: 'expired', failureCode: 'approval_timeout' });
  });

  test('ends as cancelled when it is withdrawn', async () => {
    const asked = await ask((await insertTestServer(plane.ctx, { isPaused: true })).id);
    await cancelAction(plane.ctx, plane.asker('ana'), { actionId: asked.id });
    expect(await waitForEnd(asked.id)).toMatchObject({ status: 'cancelled', cancelledBy: 'ana' });
  });
});

describe('an approved action', () => {
  test('expires as agent_offline where no agent calls in', async () => {
    plane.config.startWithinMs = 1_000;
    const asked = await ask((await insertTestServer(plane.ctx)).id);
    plane.config.startWithinMs = 60_000;
    expect(await waitForEnd(asked.id)).toMatchObject({ status: 'expired', failureCode: 'agent_offline' });
  });

  test.each<[object, ActionStatus, string | null]>([
    [{ status: 'timed_out', exit_code: null, signal: 'SIGKILL' }, 'failed', 'timed_out'],
    [{ status: 'interrupted', exit_code: null }, 'failed', 'interrupted'],
    [{ status: 'cancelled', exit_code: null }, 'cancelled', null],
    [{ status: 'cancelled', exit_code: null, code: 'cancel_unconfirmed' }, 'failed', 'cancel_unconfirmed'],
    [{ status: 'refused', exit_code: null, started_at: null, code: 'not_allowed_here' }, 'failed', 'not_allowed_here'],
  ])('with the result %j ends as %s', async (result, status, failureCode) => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const asked = await ask(serverId);
    const command = await agent.fetchCommand();
    await agent.beatOnce({ results: [createResult(command, result)] });
    expect(await waitForEnd(asked.id)).toMatchObject({ status, failureCode });
  });

  test('runs one at a time, in the order of approval, and keeps a second result as late', async () => {
    const { id: serverId } = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, serverId);
    const first = await ask(serverId);
    const one = await agent.fetchCommand();
    const second = await ask(serverId);
    expect((await agent.beatOnce({ running: [one.command_id] })).commands).toEqual([]);
    await agent.beatOnce({ results: [createResult(one)] });
    await waitForEnd(first.id);
    const two = await agent.fetchCommand();
    expect(two).toMatchObject({ action_id: second.id, seq: one.seq + 1 });
    const other = createResult(one, { status: 'failed', exit_code: 1 });
    for (let times = 0; times < 3; times++) {
      expect((await agent.beatOnce({ results: [other] })).acked).toEqual([one.command_id]);
    }
    const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
    const told = items.filter(({ event, subject }) => event === 'command.late_result' && subject.id === one.command_id);
    expect(told).toHaveLength(1);
    const kept = await getAction(plane.ctx, plane.asker('ana'), first.id);
    expect(kept).toMatchObject({ status: 'completed', hasLateResult: true });
    await agent.beatOnce({ results: [createResult(two)] });
    await waitForEnd(second.id);
  });
});
