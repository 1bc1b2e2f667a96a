import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listDecisions } from '../../db/repositories/decision.repository.ts';
import { updateServer } from '../../db/repositories/server.repository.ts';
import { cancelAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import { endPauses } from '../../services/servers/end-pauses.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { getServer, listServers } from '../../services/servers/read-servers.ts';
import { unpauseServer } from '../../services/servers/unpause-server.ts';
import { submitDecision } from '../../services/actions/submit-decision.ts';
import { arrange } from '../support/arrange.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';
import { waitForStatus } from '../support/wait-for-status.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});

afterAll(() => plane.stop());

const ask = (server: string) => ({ server, playbook: 'restart-service', params: { service: 'nginx' } });

async function eventsOf(id: string): Promise<string[]> {
  const { items } = await listAudit(plane.ctx, { ...plane.asker('root') }, { limit: 1000 });
  return items.filter(({ subject }) => subject.id === id).map(({ event }) => event);
}

/** Waits for the workflow to take up what is recorded, as the pump would. */
async function settle(actionId: string): Promise<void> {
  for (const { id } of await listDecisions(plane.ctx.database, actionId)) {
    await submitDecision(plane.ctx, { actionId, decisionId: id });
  }
}

describe('pausing', () => {
  test('ends what auto approved there and is not handed out, and leaves a person’s approval', async () => {
    const server = await insertTestServer(plane.ctx);
    const other = await insertTestServer(plane.ctx);
    const automatic = await requestAction(plane.ctx, plane.asker('ana'), ask(server.name));
    const elsewhere = await requestAction(plane.ctx, plane.asker('ana'), ask(other.name));
    await waitForStatus(plane, automatic.id, 'approved');
    const paused = await pauseServer(plane.ctx, plane.asker('bob'), { server: server.name, reason: 'kernel update' });
    expect(paused).toMatchObject({ paused: true, pausedBy: 'bob', pauseReason: 'kernel update', pausedUntil: null });
    await settle(automatic.id);
    expect(await getAction(plane.ctx, plane.asker('ana'), automatic.id)).toMatchObject({
      status: 'cancelled',
      failureCode: 'server_paused',
      cancelledBy: 'bob',
      cancelReason: 'kernel update',
    });
    await waitForStatus(plane, elsewhere.id, 'approved');
    expect(await eventsOf(server.id)).toEqual(['server.paused']);
  });

  test('hands out nothing that auto approved, also where its cancellation is not on record', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const { id } = await requestAction(plane.ctx, plane.asker('ana'), ask(server.name));
    await waitForStatus(plane, id, 'approved');
    const pause = (paused: boolean) =>
      arrange(plane.ctx.database, async (tx) => void (await updateServer(tx, server.id, { paused })));
    await pause(true);
    expect(await agent.beatOnce()).toMatchObject({ paused: true, commands: [] });
    await pause(false);
    expect((await agent.fetchCommand()).action_id).toBe(id);
  });

  test('tells the requester in Slack, once, in its own transaction', async () => {
    const server = await insertTestServer(plane.ctx);
    const asked = await requestAction(plane.ctx, plane.asker('ana'), ask(server.name));
    const quiet = await requestAction(plane.ctx, plane.asker('root'), ask(server.name));
    await waitForStatus(plane, asked.id, 'approved');
    await pauseServer(plane.ctx, plane.asker('bob'), { server: server.name, reason: 'kernel update' });
    await pauseServer(plane.ctx, plane.asker('bob'), { server: server.name, reason: 'kernel update' });
    const rows = await plane.ctx.database.kysely
      .selectFrom('slack_outbox')
      .select(['action_id', 'payload'])
      .where('kind', '=', 'private')
      .where('action_id', 'in', [asked.id, quiet.id])
      .execute();
    const text = `Your request restart-service on ${server.name} is cancelled and will not run: bob paused ${server.name} (kernel update).`;
    expect(rows).toEqual([{ action_id: asked.id, payload: { slack_user_id: 'U0ANA', text } }]);
    await waitForStatus(plane, asked.id, 'cancelled');
    await waitForStatus(plane, quiet.id, 'cancelled');
  });

  test('makes the next request wait for a person, and unpausing approves nothing', async () => {
    const server = await insertTestServer(plane.ctx);
    await pauseServer(plane.ctx, plane.asker('ana'), { server: server.id, reason: 'x' });
    const waiting = await requestAction(plane.ctx, plane.asker('ana'), ask(server.name));
    expect(waiting).toMatchObject({ status: 'pending', approvalsRequired: 1 });
    await unpauseServer(plane.ctx, plane.asker('ana'), { server: server.name });
    expect((await getAction(plane.ctx, plane.asker('ana'), waiting.id)).status).toBe('pending');
    await cancelAction(plane.ctx, plane.asker('ana'), { actionId: waiting.id });
  });

  test('ends by itself when its time has come, once', async () => {
    const server = await insertTestServer(plane.ctx);
    const until = new Date(Date.now() + 1_500); // the pause, and a look at it, take no longer on busy cores
    await pauseServer(plane.ctx, plane.asker('ana'), { server: server.name, reason: 'x', until });
    await endPauses(plane.ctx);
    expect(await getServer(plane.ctx, plane.asker('ana'), server.id)).toMatchObject({
      paused: true,
      pausedUntil: until,
    });
    await new Promise((resolve) => setTimeout(resolve, until.getTime() - Date.now() + 5));
    await Promise.all([endPauses(plane.ctx), endPauses(plane.ctx)]);
    expect(await getServer(plane.ctx, plane.asker('ana'), server.id)).toMatchObject({
      paused: false,
      pausedUntil: null,
    });
    expect(await eventsOf(server.id)).toEqual(['server.paused', 'server.unpaused']);
    const told = await plane.ctx.database.kysely
      .selectFrom('slack_outbox')
      .select('payload')
      .where('kind', '=', 'private')
      .where('action_id', 'is', null)
      .execute();
    const text = expect.stringContaining(`Your pause of ${server.name} (x) has ended by itself`);
    expect(told).toEqual([{ payload: { slack_user_id: 'U0ANA', text } }]);
  });

  test('wants a reason, a future end, a known server and an operator', async () => {
    const server = await insertTestServer(plane.ctx);
    const pause = (name: string, input: { reason?: string; until?: Date; server?: string }) =>
      pauseServer(plane.ctx, plane.asker(name), { server: server.name, reason: 'x', ...input });
    await expect(pause('ana', { reason: ' ' })).rejects.toMatchObject({ code: 'reason_missing' });
    await expect(pause('ana', { until: new Date(0) })).rejects.toMatchObject({ code: 'invalid_until' });
    await expect(pause('ana', { server: `${server.name}x` })).rejects.toMatchObject({
      code: 'server_not_found',
      message: expect.stringContaining(`Did you mean "${server.name}"?`),
    });
    await expect(pause('cid', {})).rejects.toMatchObject({ code: 'role_missing' });
    expect(await getServer(plane.ctx, plane.asker('ana'), server.id)).toMatchObject({ paused: false });
  });

  test('unpausing what is not paused changes nothing and tells nothing', async () => {
    const server = await insertTestServer(plane.ctx);
    await unpauseServer(plane.ctx, plane.asker('ana'), { server: server.name });
    expect(await eventsOf(server.id)).toEqual([]);
  });
});

describe('reading', () => {
  test('a server nobody heard of is never_seen, and its queue is counted', async () => {
    const server = await insertTestServer(plane.ctx, { tags: ['web'] });
    const queued = await requestAction(plane.ctx, plane.asker('ana'), ask(server.name));
    await waitForStatus(plane, queued.id, 'approved');
    expect(await getServer(plane.ctx, plane.asker('ana'), server.name)).toMatchObject({
      status: 'never_seen',
      queued: 1,
      tags: ['web'],
      playbooks: [],
      running: [],
    });
  });

  test('pages by name', async () => {
    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await listServers(plane.ctx, plane.asker('ana'), { limit: 2, after });
      names.push(...page.items.map(({ name }) => name));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(names).toEqual([...new Set(names)].toSorted());
    expect(names.length).toBeGreaterThanOrEqual(5);
  });

  test.each(['\0', 'a b', 'x'.repeat(64), ''])('refuses the cursor %j, which no list has given', async (after) => {
    await expect(listServers(plane.ctx, plane.asker('ana'), { after })).rejects.toMatchObject({
      code: 'invalid_cursor',
    });
  });
});

describe('enrolment tokens', () => {
  test('are stored as a hash and tell every wrong field', async () => {
    const { token } = await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: 'db-1', tags: ['db'] });
    const rows = await plane.ctx.database.kysely.selectFrom('enrollment_tokens').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    const wrong = createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName: 'a b', tags: ['?'], ttlS: 1 });
    await expect(wrong).rejects.toMatchObject({
      code: 'invalid_enrollment',
      fields: [{ path: 'server_name' }, { path: 'tags' }, { path: 'ttl_s' }],
    });
    await expect(createEnrollmentToken(plane.ctx, plane.asker('bob'), { serverName: 'db-2' })).rejects.toMatchObject({
      code: 'role_missing',
    });
  });
});
