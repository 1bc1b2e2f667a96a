import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WAKE_CHANNEL } from '../../db/announce.ts';
import { findDecisionById } from '../../db/repositories/decision.repository.ts';
import { isGuardViolation } from '../../db/errors.ts';
import { insertCommand } from '../../db/repositories/command.repository.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { submitDecision } from '../../services/actions/submit-decision.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import type { Context } from '../../services/context.ts';
import { declareHalt } from '../../services/halts/declare-halt.ts';
import { endHalts } from '../../services/halts/end-halts.ts';
import { liftHalt } from '../../services/halts/lift-halt.ts';
import { listHalts, listStandingHalts } from '../../services/halts/read-halts.ts';
import { arrange } from '../support/arrange.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';
import { waitForStatus } from '../support/wait-for-status.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});

afterEach(() => liftAll());
afterAll(() => plane.stop());

const root = () => plane.asker('root');
const halt = (change: { tag?: string; playbook?: string; until?: Date } = {}) =>
  declareHalt(plane.ctx, plane.asker('bob'), { reason: 'the disks fill up', ...change });
const lift = (id: number) => liftHalt(plane.ctx, plane.asker('bob'), { id: String(id) });

async function liftAll(): Promise<void> {
  for (const { id } of await listStandingHalts(plane.ctx, root())) await lift(id);
}

function ask(server: string, change: { by?: string; playbook?: string; ctx?: Context } = {}) {
  const { by = 'ana', playbook = 'restart-service', ctx = plane.ctx } = change;
  return requestAction(ctx, plane.asker(by), { server, playbook, params: { service: 'nginx' } });
}

const statusOf = async (id: string): Promise<string> => (await getAction(plane.ctx, root(), id)).status;
const reach = (id: string, status: ActionStatus) => waitForStatus(plane, id, status);

async function askAndApprove(server: string, change: Parameters<typeof ask>[1] = {}): Promise<string> {
  const { id } = await ask(server, change);
  await reach(id, 'approved');
  return id;
}

async function audited(event: string): Promise<{ seq: number; id: string; data: Record<string, unknown> }[]> {
  const { items } = await listAudit(plane.ctx, root(), { limit: 1000 });
  return items.flatMap(({ seq, event: name, subject, data }) =>
    name === event ? [{ seq, id: subject.id, data }] : [],
  );
}

async function toldTo(slackUserId: string): Promise<string[]> {
  const { rows } = await plane.ctx.database.pool.query<{ payload: { text?: string } }>(
    `select payload from slack_outbox where kind = 'private' and payload ->> 'slack_user_id' = $1 order by id`,
    [slackUserId],
  );
  return rows.flatMap(({ payload }) => (payload.text === undefined ? [] : [payload.text]));
}

describe('a halt', () => {
  test('stops what was approved before it, and says so to its agent', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const id = await askAndApprove(server.name);
    const declared = await halt();
    expect(declared).toMatchObject({ scope: 'all', value: null, declaredBy: 'bob', liftedAt: null });
    expect(await agent.beatOnce()).toMatchObject({ halted: true, commands: [] });
    expect(await agent.beatOnce({ halted: true })).toMatchObject({ halted: true, commands: [] });
    expect(await statusOf(id)).toBe('approved');
    expect(await audited('halt.declared')).toEqual([
      expect.objectContaining({
        id: String(declared.id),
        data: { scope: 'all', value: null, reason: 'the disks fill up', until: null },
      }),
    ]);
  });

  test('is heard by agents whose heartbeats are held, within a second', async () => {
    const servers = await Promise.all(Array.from({ length: 20 }, () => insertTestServer(plane.ctx)));
    const heardMs: number[] = [];
    const held = servers.map(async ({ id }) => {
      const answer = await createScriptedAgent(plane.ctx, id).beatOnce({ waitS: 25 });
      heardMs.push(Date.now());
      return answer;
    });
    await poll('all to be heard', async () => {
      const { rows } = await plane.ctx.database.pool.query<{ count: number }>(
        `select count(*)::int as count from servers where last_seen_at is not null and id = any($1)`,
        [servers.map(({ id }) => id)],
      );
      return rows[0]?.count === 20;
    });
    await halt();
    const declaredMs = Date.now();
    const answers = await Promise.all(held);
    expect(answers.every(({ halted, commands }) => halted && commands.length === 0)).toBe(true);
    expect(Math.max(...heardMs) - declaredMs).toBeLessThan(1_000);
  });

  test('holds what brings no news, and tells at once that it is over', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const { id } = await halt();
    const held = agent.beatOnce({ halted: true, waitS: 25 });
    const first = await Promise.race([held, untilHeard(server.id)]);
    expect(first).toBe('not answered');
    await lift(id);
    expect(await held).toMatchObject({ halted: false });
  });

  test('comes wholly before a signature or wholly after it', async () => {
    for (let round = 0; round < 3; round++) {
      const servers = await Promise.all(Array.from({ length: 8 }, () => insertTestServer(plane.ctx)));
      await Promise.all(servers.map(({ name }) => askAndApprove(name)));
      const agents = servers.map(({ id }) => createScriptedAgent(plane.ctx, id));
      const [declared] = await Promise.all([halt(), ...agents.map((agent) => agent.beatOnce())]);
      const declaredSeq = (await audited('halt.declared')).find(({ id }) => id === String(declared.id))?.seq ?? 0;
      const issued = (await audited('command.issued')).map(({ seq }) => seq);
      expect(issued.filter((seq) => seq > declaredSeq)).toEqual([]);
      const again = await Promise.all(agents.map((agent) => agent.beatOnce()));
      expect(again.flatMap(({ commands }) => commands)).toEqual([]);
      await lift(declared.id);
    }
  });

  test('leaves what runs alone, and it can be cancelled', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const id = await askAndApprove(server.name);
    const command = await agent.fetchCommand();
    await agent.beatOnce({ running: [command.command_id] });
    await reach(id, 'executing');
    await halt();
    expect((await agent.beatOnce({ running: [command.command_id] })).cancel).toEqual([]);
    await cancelAction(plane.ctx, plane.asker('bob'), { actionId: id });
    expect((await agent.beatOnce({ running: [command.command_id] })).cancel).toEqual([command.command_id]);
    await agent.beatOnce({ results: [createResult(command, { status: 'cancelled', exit_code: null })] });
    await reach(id, 'cancelled');
  });

  test('refuses requests and approvals, who, why and until when; what waits for approval goes on waiting', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const { id } = await ask(server.name);
    const until = new Date(Date.now() + 3_600_000);
    const { id: haltId } = await halt({ until });
    const refusal = { code: 'halted', details: { declared_by: 'bob', reason: 'the disks fill up' } };
    await expect(ask(server.name)).rejects.toMatchObject(refusal);
    await expect(ask(server.name)).rejects.toThrow(
      /Everything is halted by bob since .*, until .* UTC: the disks fill up/,
    );
    const approval = { actionId: id, kind: 'approve' } as const;
    await expect(decideAction(plane.ctx, plane.asker('cid'), approval)).rejects.toMatchObject(refusal);
    expect((await getAction(plane.ctx, root(), id)).halt).toMatchObject({ id: haltId });
    await lift(haltId);
    expect(await statusOf(id)).toBe('pending');
    expect(await decideAction(plane.ctx, plane.asker('cid'), approval)).toMatchObject({ outcome: 'applied' });
    expect((await getAction(plane.ctx, root(), id)).halt).toBeNull();
    await cancelAction(plane.ctx, plane.asker('bob'), { actionId: id });
  });

  test('needs a reason, a right, and something to halt', async () => {
    const declare = (name: string, input: object) =>
      declareHalt(plane.ctx, plane.asker(name), { reason: 'a test', ...input });
    await expect(declare('cid', {})).rejects.toMatchObject({ code: 'role_missing' });
    await expect(declare('ana', { reason: ' ' })).rejects.toMatchObject({ code: 'reason_missing' });
    await expect(declare('ana', { tag: 'no-such-tag' })).rejects.toMatchObject({ code: 'unknown_tag' });
    await expect(declare('ana', { playbook: 'restart-servise' })).rejects.toThrow(/restart-service/);
    await expect(declare('ana', { tag: 'a', playbook: 'b' })).rejects.toMatchObject({ code: 'two_scopes' });
    await expect(declare('ana', { until: new Date(0) })).rejects.toMatchObject({ code: 'invalid_until' });
    await expect(liftHalt(plane.ctx, plane.asker('ana'), { id: '999999' })).rejects.toMatchObject({
      code: 'halt_not_found',
    });
    expect(await listStandingHalts(plane.ctx, root())).toEqual([]);
  });
});

/** Settles once that heartbeat of the server was heard, and had the time of a transaction to be answered in. */
async function untilHeard(serverId: string, beat = 1): Promise<'not answered'> {
  await poll('the heartbeat to be heard', async () => {
    const { pool } = plane.ctx.database;
    const heard = 'select 1 from servers where id = $1 and session_beat = $2';
    return (await pool.query(heard, [serverId, beat])).rows.length === 1;
  });
  await arrange(plane.ctx.database, async (tx) => void (await tx.kysely.selectFrom('servers').selectAll().execute()));
  return 'not answered';
}

describe('its end', () => {
  test('releases nothing: what waited is cancelled, and each requester is told once', async () => {
    const servers = await Promise.all(Array.from({ length: 3 }, () => insertTestServer(plane.ctx)));
    const ids = await Promise.all(servers.map(({ name }) => askAndApprove(name)));
    const agents = servers.map(({ id }) => createScriptedAgent(plane.ctx, id));
    const { id } = await halt();
    const before = (await toldTo('U0ANA')).length;
    const lifted = await lift(id);
    expect(lifted).toMatchObject({ liftedBy: 'bob', voided: 3 });
    const answers = await Promise.all(agents.map((agent) => agent.beatOnce()));
    expect(answers.flatMap(({ commands }) => commands)).toEqual([]);
    for (const actionId of ids) await reach(actionId, 'cancelled');
    expect(await getAction(plane.ctx, root(), ids[0] ?? '')).toMatchObject({
      failureCode: 'halted',
      cancelledBy: 'bob',
    });
    const told = (await toldTo('U0ANA')).slice(before);
    expect(told).toEqual([expect.stringMatching(/^3 requests of yours are cancelled and will not run: /)]);
    for (const { name } of servers) expect(told[0]).toContain(`restart-service on ${name}`);
    expect(await outcomesOwed(ids)).toBe(0);
    expect(await lift(id)).toEqual(lifted); // again changes nothing
    const next = await askAndApprove(servers[0]?.name ?? '');
    expect((await agents[0]?.fetchCommand())?.action_id).toBe(next);
  });

  test('comes by itself, and not before its time', async () => {
    const { id } = await halt({ until: new Date(Date.now() + 1_200) });
    await endHalts(plane.ctx);
    expect(await listStandingHalts(plane.ctx, root())).toHaveLength(1);
    await poll('the end', async () => {
      await Promise.all([endHalts(plane.ctx), endHalts(plane.ctx)]);
      return (await listStandingHalts(plane.ctx, root())).length === 0;
    });
    const [latest] = (await listHalts(plane.ctx, root(), { limit: 1 })).items;
    expect(latest).toMatchObject({ id, liftedBy: 'system' });
    expect((await audited('halt.lifted')).filter((event) => event.id === String(id))).toHaveLength(1);
  });

  test('takes an approval along that was clicked before it and has not arrived', async () => {
    const server = await insertTestServer(plane.ctx, { isPaused: true });
    const { id } = await ask(server.name);
    const away = { ...plane.ctx.temporal, decide: () => Promise.resolve({ kind: 'away' as const }) };
    const clicked = await decideAction({ ...plane.ctx, temporal: away }, plane.asker('cid'), {
      actionId: id,
      kind: 'approve',
    });
    expect(clicked.outcome).toBe('recorded');
    await lift((await halt()).id);
    await reach(id, 'cancelled');
    expect(await findDecisionById(plane.ctx.database, `halt/${await lastHaltId()}/${id}`)).toMatchObject({
      kind: 'cancel',
      status: 'applied',
      code: 'halted',
    });
  });

  test('asks back what was handed out and of which nothing was heard', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const id = await askAndApprove(server.name);
    const command = await agent.fetchCommand();
    const { id: haltId } = await halt();
    expect(await agent.beatOnce()).toMatchObject({ halted: true, commands: [], cancel: [] });
    await lift(haltId);
    await poll('the request to stop', async () => {
      const { cancel, commands } = await agent.beatOnce();
      expect(commands).toEqual([]);
      return cancel.includes(command.command_id);
    });
    expect(await statusOf(id)).toBe('approved');
  });
});

async function lastHaltId(): Promise<number> {
  return (await listHalts(plane.ctx, root(), { limit: 1 })).items[0]?.id ?? 0;
}

async function outcomesOwed(ids: readonly string[]): Promise<number> {
  const { rows } = await plane.ctx.database.pool.query(
    `select 1 from slack_outbox where kind = 'private' and payload ? 'outcome_for' and action_id = any($1)`,
    [ids],
  );
  return rows.length;
}

describe('a freeze', () => {
  test('of a playbook stops it everywhere, and holds up nothing else', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    await askAndApprove(server.name);
    await halt({ playbook: 'restart_service' });
    await expect(ask(server.name)).rejects.toMatchObject({ code: 'frozen' });
    await askAndApprove(server.name, { playbook: 'check-service' });
    expect((await agent.fetchCommand()).playbook).toBe('check-service');
    expect(await agent.beatOnce()).toMatchObject({ halted: false });
  });

  test('of a playbook asks back what its agent never got, and lets others pass once nobody can start it', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const id = await askAndApprove(server.name);
    await agent.fetchCommand(); // and the answer was lost
    const other = await askAndApprove(server.name, { playbook: 'check-service' });
    const { id: haltId } = await halt({ playbook: 'restart-service' });
    expect((await agent.beatOnce()).commands).toEqual([]);
    expect((await agent.beatOnce()).commands).toEqual([]); // its time is not over
    const { kysely } = plane.ctx.database;
    const exp = new Date(Date.now() - 60_000);
    await kysely.updateTable('commands').set({ exp }).where('action_id', '=', id).execute();
    await submitDecision(plane.ctx, { actionId: id, decisionId: `halt/${haltId}/${id}` });
    await reach(id, 'cancelled');
    expect(await getAction(plane.ctx, root(), id)).toMatchObject({ failureCode: 'frozen', cancelledBy: 'bob' });
    expect((await agent.fetchCommand()).action_id).toBe(other);
  });

  test('of a playbook leaves what its agent runs', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    const id = await askAndApprove(server.name);
    const command = await agent.fetchCommand();
    const { id: haltId } = await halt({ playbook: 'restart-service' });
    const running = [command.command_id];
    expect(await agent.beatOnce({ running })).toMatchObject({ cancel: [], commands: [] });
    expect(await findDecisionById(plane.ctx.database, `halt/${haltId}/${id}`)).toBeNull();
    await agent.beatOnce({ results: [createResult(command)] });
    await reach(id, 'completed');
  });

  test('of a tag stops its servers, and no others', async () => {
    const web = await insertTestServer(plane.ctx, { tags: ['web', 'eu'] });
    const db = await insertTestServer(plane.ctx, { tags: ['db'] });
    const queued = await askAndApprove(web.name);
    const { id } = await halt({ tag: 'web' });
    expect(await createScriptedAgent(plane.ctx, web.id).beatOnce()).toMatchObject({ halted: true, commands: [] });
    await expect(ask(web.name)).rejects.toThrow(/Everything on servers tagged "web" is frozen by bob/);
    await askAndApprove(db.name);
    await createScriptedAgent(plane.ctx, db.id).fetchCommand();
    expect(await lift(id)).toMatchObject({ voided: 1 });
    await reach(queued, 'cancelled');
    expect(await getAction(plane.ctx, root(), queued)).toMatchObject({ failureCode: 'frozen' });
  });
});

describe('a freeze of a tag', () => {
  test('is heard at once by the agents of its servers, and so is its end', async () => {
    const server = await insertTestServer(plane.ctx, { tags: ['front'] });
    const agent = createScriptedAgent(plane.ctx, server.id);
    const unaware = agent.beatOnce({ halted: false, waitS: 25 });
    await untilHeard(server.id, 1);
    const frozenMs = Date.now();
    const { id } = await halt({ tag: 'front' });
    expect(await unaware).toMatchObject({ halted: true });
    const aware = agent.beatOnce({ halted: true, waitS: 25 });
    await untilHeard(server.id, 2);
    await lift(id);
    expect(await aware).toMatchObject({ halted: false });
    expect(Date.now() - frozenMs).toBeLessThan(4_500); // and not by the slow poll, after five seconds
  });
});

describe('behind it', () => {
  test('the database refuses a command that a halt forbids, and to change a halt', async () => {
    const server = await insertTestServer(plane.ctx, { tags: ['guarded'] });
    const id = await askAndApprove(server.name);
    const { id: haltId } = await halt({ tag: 'guarded' });
    const insert = arrange(plane.ctx.database, (tx) =>
      insertCommand(tx, {
        id: 'forbidden',
        actionId: id,
        attempt: 1,
        serverId: server.id,
        issuedAt: new Date(),
        exp: new Date(),
      }),
    );
    expect(isGuardViolation(await insert.catch((error: unknown) => error))).toBe('halted');
    const { pool } = plane.ctx.database;
    await expect(pool.query('delete from halts where id = $1', [haltId])).rejects.toThrow(/was declared as it is/);
    await expect(pool.query(`update halts set value = 'x' where id = $1`, [haltId])).rejects.toThrow(/declared/);
    await lift(haltId);
    const revive = 'update halts set lifted_at = null, lifted_by = null where id = $1';
    await expect(pool.query(revive, [haltId])).rejects.toThrow(/stays lifted/);
  });

  test('halts that cannot be read hand out nothing', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    await askAndApprove(server.name);
    const paused = await insertTestServer(plane.ctx, { isPaused: true });
    const pending = await ask(paused.name);
    const held = createScriptedAgent(plane.ctx, paused.id).beatOnce({ waitS: 25 });
    void held.catch(() => undefined); // looked at below
    await untilHeard(paused.id);
    const { pool } = plane.ctx.database;
    await pool.query('alter table halts rename to halts_away');
    plane.ctx.wakes.tell(WAKE_CHANNEL, paused.id);
    try {
      await expect(agent.beatOnce()).rejects.toThrow(/halts/);
      const { rows } = await pool.query('select 1 from commands where server_id = $1', [server.id]);
      expect(rows).toEqual([]);
      // nor is anything asked for or approved
      await expect(ask(server.name)).rejects.toThrow(/halts/);
      const approval = { actionId: pending.id, kind: 'approve' } as const;
      await expect(decideAction(plane.ctx, plane.asker('cid'), approval)).rejects.toThrow(/halts/);
      await expect(held).rejects.toThrow(/halts/);
    } finally {
      await pool.query('alter table halts_away rename to halts');
    }
    expect(await statusOf(pending.id)).toBe('pending');
    await agent.fetchCommand();
  });

  test('a process that falls asleep in the middle of a hand-out holds up no halt', async () => {
    const asleep = await plane.ctx.database.pool.connect();
    await asleep.query('begin');
    await asleep.query('select * from medic_standing_halts()');
    const startedMs = Date.now();
    await halt();
    expect(Date.now() - startedMs).toBeLessThan(8_000);
    await expect(asleep.query('commit')).rejects.toThrow();
    asleep.release(true);
  });
});
