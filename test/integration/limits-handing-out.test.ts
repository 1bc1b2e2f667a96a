import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createActivities } from '../../activities/index.ts';
import { findHold, shareOf } from '../../domain/limits.ts';
import { lockRoom } from '../../db/repositories/limit.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import { explainAction } from '../../services/actions/explain-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { arrange } from '../support/arrange.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
const limits = () => plane.config.limits;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});
afterAll(() => plane.stop());

/** As if all that ran before had ended, and as the limits were. */
afterEach(async () => {
  const { kysely } = plane.ctx.database;
  await kysely.updateTable('commands').set({ state: 'ended', ended_at: new Date() }).execute();
  await kysely.updateTable('servers').set({ revoked_at: new Date() }).execute();
  plane.config.limits = { ...limits(), executing: 100_000, executingPerTag: 10 };
});

interface Ready {
  server: ServerRow;
  actionId: string;
  agent: ReturnType<typeof createScriptedAgent>;
}

/** Servers with one action each that is approved and waits for its agent. */
async function prepare(count: number, tags: string[] = []): Promise<Ready[]> {
  const ready: Ready[] = [];
  const hourAgo = new Date(Date.now() - 3_600_000); // many at once would share a card
  for (let i = 0; i < count; i++) {
    const server = await insertTestServer(plane.ctx, { tags });
    const input = { server: server.id, playbook: 'restart-service', params: { service: 'nginx' } };
    const { id: actionId } = await requestAction(plane.ctx, plane.asker('ana'), input);
    await plane.ctx.database.kysely.updateTable('actions').set({ requested_at: hourAgo }).execute();
    ready.push({ server, actionId, agent: createScriptedAgent(plane.ctx, server.id) });
  }
  for (const { actionId } of ready) {
    await poll('the approval by auto', async () => (await read(actionId)).status === 'approved');
  }
  return ready;
}

const read = (id: string) => getAction(plane.ctx, plane.asker('ana'), id);

async function countOut(): Promise<number> {
  const query = plane.ctx.database.kysely.selectFrom('commands').select('id').where('state', '<>', 'ended');
  return (await query.execute()).length;
}

test('the fleet never executes more than its limit, however many agents ask at once', async () => {
  plane.config.limits = { ...limits(), executing: 3 };
  const ready = await prepare(12);
  for (let round = 0; round < 3; round++) {
    await Promise.all(ready.map(({ agent }) => agent.beatOnce()));
    expect(await countOut()).toBe(3);
  }
  const held = (await Promise.all(ready.map(({ actionId }) => read(actionId)))).filter(({ heldBy }) => heldBy !== null);
  expect(held).toHaveLength(9);
  expect(held.every(({ status }) => status === 'approved')).toBe(true);
  expect(held[0]?.heldBy).toEqual({ code: 'fleet_limit', limit: 3 });
  const { waits } = await explainAction(plane.ctx, plane.asker('ana'), held[0]?.id ?? '');
  expect(waits).toBe('It waits because 3 actions at once is all that may run over the fleet.');
});

test('a share of the servers of a tag executes at once, and each tag of a server counts', async () => {
  plane.config.limits = { ...limits(), executingPerTag: 20 };
  const web = await prepare(10, ['web']);
  const both = await prepare(2, ['web', 'small']);
  const small = await prepare(2, ['small']);
  await Promise.all(web.map(({ agent }) => agent.beatOnce()));
  expect(await countOut()).toBe(2); // a fifth of twelve, rounded down
  await Promise.all(both.map(({ agent }) => agent.beatOnce()));
  expect(await countOut()).toBe(2);
  expect((await read(both[0]?.actionId ?? '')).heldBy).toEqual({
    code: 'tag_share',
    tag: 'web',
    limit: 2,
    servers: 12,
  });
  await Promise.all([...small, ...both].map(({ agent }) => agent.beatOnce()));
  expect(await countOut()).toBe(3);
});

test('what waits for room is handed out as soon as something ends, and its card says so', async () => {
  plane.config.limits = { ...limits(), executing: 1 };
  const [first, second] = (await prepare(2)) as [Ready, Ready];
  const command = await first.agent.fetchCommand();
  await second.agent.beatOnce();
  const { kysely } = plane.ctx.database;
  const owed = await kysely
    .selectFrom('slack_outbox')
    .select('payload')
    .where('action_id', '=', second.actionId)
    .where('kind', '=', 'card')
    .execute();
  expect(owed).toHaveLength(1);
  const beganAt = performance.now();
  const held = second.agent.beatOnce({ waitS: 20 });
  await first.agent.beatOnce({ results: [createResult(command)] });
  const { commands } = await held;
  expect(commands).toHaveLength(1);
  expect(performance.now() - beganAt).toBeLessThan(4_000); // the slow poll alone would take five seconds
  expect((await read(second.actionId)).heldBy).toBeNull();
});

test('what a limit held until its time was over expires with the code of that limit', async () => {
  plane.config.limits = { ...limits(), executing: 1 };
  const [first, second] = (await prepare(2)) as [Ready, Ready];
  await first.agent.fetchCommand();
  await second.agent.beatOnce();
  const { database } = plane.ctx;
  const { actionId } = second;
  const past = { expires_at: new Date(Date.now() - 1) };
  await database.kysely.updateTable('actions').set(past).where('id', '=', actionId).execute();
  await createActivities({ database }).enforceDeadline(actionId);
  expect(await read(actionId)).toMatchObject({ status: 'expired', failureCode: 'fleet_limit', deadLetter: 'open' });
});

test('whoever is counting while something ends is woken as well', async () => {
  plane.config.limits = { ...limits(), executing: 1 };
  const [first, second] = (await prepare(2)) as [Ready, Ready];
  const command = await first.agent.fetchCommand();
  const beganAt = performance.now();
  // nobody has noted yet that the second one waits for room when the first one ends
  const [{ commands }] = await Promise.all([
    second.agent.beatOnce({ waitS: 20 }),
    first.agent.beatOnce({ results: [createResult(command)] }),
  ]);
  expect(commands).toHaveLength(1);
  expect(performance.now() - beganAt).toBeLessThan(4_000);
});

test('only a new command takes the lock: neither an idle heartbeat nor one that is given its command again', async () => {
  const [running, waiting] = (await prepare(2)) as [Ready, Ready];
  await running.agent.fetchCommand();
  const idle = createScriptedAgent(plane.ctx, (await insertTestServer(plane.ctx)).id);
  const { promise: released, resolve: release } = Promise.withResolvers<null>();
  const { promise: locked, resolve: lock } = Promise.withResolvers<null>();
  const holder = arrange(plane.ctx.database, async (tx) => {
    await lockRoom(tx);
    lock(null);
    await released;
  });
  await locked;
  expect((await idle.beatOnce()).commands).toEqual([]);
  expect((await running.agent.beatOnce()).commands).toHaveLength(1);
  const starting = waiting.agent.beatOnce();
  await poll('the new command to wait for the lock', () => isSomebodyWaiting());
  release(null);
  await holder;
  expect((await starting).commands).toHaveLength(1);
});

async function isSomebodyWaiting(): Promise<boolean> {
  const { rows } = await sql`
    select 1 from pg_locks join pg_database on pg_database.oid = pg_locks.database
    where locktype = 'advisory' and not granted and datname = current_database()
  `.execute(plane.ctx.database.kysely);
  return rows.length > 0;
}

test('at least one server of a tag may always run', () => {
  expect([1, 9, 10, 19, 20, 1_000].map((servers) => shareOf(servers, 10))).toEqual([1, 1, 1, 1, 2, 100]);
  const use = { executing: 0, tags: [{ tag: 'web', servers: 3, executing: 0 }] };
  expect(findHold(limits(), use)).toBeNull();
});
