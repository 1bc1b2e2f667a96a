import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createActivities } from '../../activities/index.ts';
import { tellSlack } from '../../db/announce.ts';
import { arrange } from '../support/arrange.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';
import { waitForStatus } from '../support/wait-for-status.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});
afterAll(() => plane.stop());

const read = (id: string): Promise<ActionView> => getAction(plane.ctx, plane.asker('ana'), id);

/** As if the earlier requests were an hour old: many at once would share a card. */
async function ask(server: string, as = 'ana'): Promise<string> {
  const hourAgo = new Date(Date.now() - 3_600_000);
  await plane.ctx.database.kysely.updateTable('actions').set({ requested_at: hourAgo }).execute();
  const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
  return (await requestAction(plane.ctx, plane.asker(as), input)).id;
}

async function runTo(id: string, serverId: string, result: object): Promise<void> {
  const agent = createScriptedAgent(plane.ctx, serverId);
  const command = await agent.fetchCommand();
  expect(command.action_id).toBe(id);
  await agent.beatOnce({ results: [createResult(command, result)] });
}

/** What was owed privately about this action. */
async function lettersOf(id: string): Promise<unknown[]> {
  const query = plane.ctx.database.kysely.selectFrom('slack_outbox').select('payload');
  const rows = await query.where('kind', '=', 'private').where('action_id', '=', id).execute();
  return rows.map(({ payload }) => payload);
}

const ENDS: [string, ActionStatus, boolean, (id: string, serverId: string) => Promise<unknown>][] = [
  ['completes', 'completed', false, (id, server) => runTo(id, server, {})],
  ['fails', 'failed', false, (id, server) => runTo(id, server, { status: 'failed', exit_code: 1 })],
  [
    'is rejected',
    'rejected',
    true,
    (actionId) => decideAction(plane.ctx, plane.asker('cid'), { actionId, kind: 'reject', reason: 'no' }),
  ],
  [
    'is cancelled by somebody else',
    'cancelled',
    true,
    (actionId) => cancelAction(plane.ctx, plane.asker('bob'), { actionId }),
  ],
  [
    'expires',
    'expired',
    true,
    (id) =>
      plane.ctx.database.kysely
        .updateTable('actions')
        .set({ expires_at: new Date(Date.now() - 1_000) })
        .where('id', '=', id)
        .execute(),
  ],
];

describe('the requester is owed the outcome, once, where the action', () => {
  test.each(ENDS)('%s', async (_how, status, isPaused, end) => {
    const { id: serverId } = await insertTestServer(plane.ctx, { isPaused });
    const id = await ask(serverId);
    await end(id, serverId);
    const { enforceDeadline } = createActivities({ database: plane.ctx.database });
    if (status === 'expired') await Promise.all([enforceDeadline(id), enforceDeadline(id)]);
    await waitForStatus(plane, id, status);
    await enforceDeadline(id); // a worker that died after the commit does it all again
    expect(await lettersOf(id)).toEqual([{ outcome_for: 'ana' }]);
  });
});

test('who withdraws their own request is told nothing more', async () => {
  const { id: serverId } = await insertTestServer(plane.ctx, { isPaused: true });
  const id = await ask(serverId);
  await cancelAction(plane.ctx, plane.asker('ana'), { actionId: id });
  await waitForStatus(plane, id, 'cancelled');
  expect(await lettersOf(id)).toEqual([]);
});

test('what waits says behind what, and its card is owed anew when that ends', async () => {
  const { id: serverId } = await insertTestServer(plane.ctx);
  const agent = createScriptedAgent(plane.ctx, serverId);
  const first = await ask(serverId);
  const command = await agent.fetchCommand();
  const [second, third] = [await ask(serverId), await ask(serverId)];
  await waitForStatus(plane, third, 'approved');
  const behind = { id: first, playbook: 'restart-service' };
  expect((await read(second)).queuedBehind).toEqual({ ...behind, ahead: 1 });
  expect((await read(third)).queuedBehind).toEqual({ ...behind, ahead: 2 });
  expect((await read(first)).queuedBehind).toBeNull();
  const { kysely } = plane.ctx.database;
  await kysely.updateTable('slack_outbox').set({ sent_at: new Date() }).execute();
  await agent.beatOnce({ results: [createResult(command)] });
  await waitForStatus(plane, first, 'completed');
  const owed = await kysely
    .selectFrom('slack_outbox')
    .select(['action_id', 'payload'])
    .where('kind', '=', 'card')
    .where('sent_at', 'is', null)
    .execute();
  const isUrgent = new Map(owed.map(({ action_id: id, payload }) => [id, payload['progress'] === false]));
  expect([first, second, third].map((id) => isUrgent.get(id))).toEqual([true, false, false]);
  expect((await read(third)).queuedBehind).toMatchObject({ id: second, ahead: 1 });
});

test('a card that somebody waits for stays urgent when its surroundings change, and becomes so', async () => {
  const { database } = plane.ctx;
  const owe = async (...changes: boolean[]): Promise<unknown> => {
    const { id: serverId } = await insertTestServer(plane.ctx, { isPaused: true });
    const id = await ask(serverId);
    const cards = database.kysely.selectFrom('slack_outbox').select('payload').where('action_id', '=', id);
    await database.kysely.deleteFrom('slack_outbox').where('action_id', '=', id).execute();
    for (const isProgress of changes) await arrange(database, (tx) => tellSlack(tx, { actionId: id, isProgress }));
    return cards.execute();
  };
  expect(await owe(false, true)).toEqual([{ payload: { progress: false } }]);
  expect(await owe(true, false)).toEqual([{ payload: { progress: false } }]);
  expect(await owe(true, true)).toEqual([{ payload: { progress: true } }]);
});

test('a running action tells its step, and its card is owed once a step', async () => {
  const { id: serverId } = await insertTestServer(plane.ctx);
  const agent = createScriptedAgent(plane.ctx, serverId);
  const id = await ask(serverId);
  const { command_id: commandId } = await agent.fetchCommand();
  const { kysely } = plane.ctx.database;
  const owedAfter = async (said: { step: number; steps: number }): Promise<number> => {
    await kysely.updateTable('slack_outbox').set({ sent_at: new Date() }).where('action_id', '=', id).execute();
    await agent.beatOnce({ running: [commandId], ...said });
    await waitForStatus(plane, id, 'executing');
    const owed = kysely.selectFrom('slack_outbox').select('id').where('action_id', '=', id);
    return (await owed.where('sent_at', 'is', null).execute()).length;
  };
  expect(await owedAfter({ step: 1, steps: 3 })).toBe(1);
  expect((await read(id)).progress).toEqual({ step: 1, steps: 3 });
  expect(await owedAfter({ step: 1, steps: 3 })).toBe(0);
  expect(await owedAfter({ step: 2, steps: 3 })).toBe(1);
  expect((await read(id)).progress).toEqual({ step: 2, steps: 3 });
});
