import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import type { ApprovalRule, EscalationStep } from '../../domain/policy.ts';
import type { Principal } from '../../domain/principal.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { climbLadders } from '../../services/escalation/climb-ladders.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { getServer } from '../../services/servers/read-servers.ts';
import type { SlackProfile } from '../../services/slack/directory.ts';
import { countActionsByStatus } from '../../services/metrics-counts.ts';
import { startPump } from '../../services/pump.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;

const MANAGERS: Principal[] = [
  { name: 'mia', roles: ['approver'], slackUserId: 'U0MIA', groups: ['managers'] },
  { name: 'max', roles: ['viewer'], slackUserId: 'U0MAX', groups: ['managers'] }, // of the group, and no approver
  { name: 'eve', roles: ['approver'], slackUserId: 'U0EVE', groups: [] }, // an approver, and of no group
  { name: 'pat', roles: ['approver'], slackUserId: null, groups: ['sre'] }, // may, and is nobody in Slack
];
const LADDER: EscalationStep[] = [
  { afterS: 0.05, kind: 'thread' },
  { afterS: 0.1, kind: 'approvers' },
  { afterS: 0.15, kind: 'group', group: 'managers' },
];

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  plane.config.principals = new Map([...plane.config.principals, ...MANAGERS.map((one) => [one.name, one] as const)]);
});
afterAll(() => plane.stop());

function ruleWith(terms: Partial<ApprovalRule>): ApprovalRule[] {
  return [{ ...DEFAULT_TERMS, when: {}, approvals: 1, from: ['sre'], ...terms }];
}

async function ask(terms: Partial<ApprovalRule>): Promise<string> {
  plane.config.rules = ruleWith(terms);
  const { name: server } = await insertTestServer(plane.ctx);
  const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
  return (await requestAction(plane.ctx, plane.asker('bob'), input)).id;
}

const read = (id: string): Promise<ActionView> => getAction(plane.ctx, plane.asker('ana'), id);
const decide = (name: string, actionId: string) =>
  decideAction(plane.ctx, plane.asker(name), { actionId, kind: 'approve' });

/** What is owed beside the card: kind and payload, in the order in which it was owed. */
async function owedFor(id: string): Promise<{ kind: string; payload: unknown }[]> {
  const query = plane.ctx.database.kysely.selectFrom('slack_outbox').select(['kind', 'payload']);
  return query.where('action_id', '=', id).where('kind', '<>', 'card').orderBy('id').execute();
}

async function eventsOf(id: string) {
  const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
  return items.filter(({ subject, event }) => subject.id === id && event !== 'action.requested');
}

/** As if it had been asked for ten seconds earlier: every step is due. */
async function letTimePass(id: string): Promise<void> {
  await plane.ctx.database.pool.query(
    `update actions set requested_at = requested_at - interval '10 seconds',
       next_escalation_at = next_escalation_at - interval '10 seconds'
     where id = $1`,
    [id],
  );
}

/** Several pumps at once, until the ladder stands at `step`. */
async function climbTo(id: string, step: number): Promise<void> {
  const pumps = [1, 2, 3].map(() => startPump(plane.ctx, { periodMs: 5 }));
  await poll(`step ${step}`, async () => (await read(id)).escalationStep === step, { timeoutMs: 10_000 });
  await Promise.all(pumps.map((pump) => pump.stop()));
}

describe('a ladder', () => {
  test('has each step taken once by pumps that race, and writes only to who may decide', async () => {
    const id = await ask({ escalate: LADDER });
    expect((await read(id)).nextEscalationAt).toEqual(new Date((await read(id)).requestedAt.getTime() + 50));
    await climbTo(id, 3);
    await Promise.all([climbLadders(plane.ctx), climbLadders(plane.ctx)]);
    expect(await owedFor(id)).toEqual([
      { kind: 'reminder', payload: { step: 1 } },
      { kind: 'private', payload: { ask_of: 'cid' } }, // not bob, who asked; not pat, who is nobody in Slack
      { kind: 'private', payload: { ask_of: 'mia' } }, // not max, who is no approver
    ]);
    const told = (await eventsOf(id)).map(({ actor, event, data }) => ({ actor, event, data }));
    const event = { actor: 'system', event: 'action.escalated' };
    expect(told).toEqual([
      { ...event, data: { step: 1, kind: 'thread' } },
      { ...event, data: { step: 2, kind: 'approvers', told: ['cid'] } },
      { ...event, data: { step: 3, kind: 'group', group: 'managers', told: ['mia'] } },
    ]);
    expect((await read(id)).nextEscalationAt).toBeNull();
  });

  test('lets the backup group decide from its step on, and not before', async () => {
    const id = await ask({ escalate: LADDER.map((step) => ({ ...step, afterS: step.afterS + 0.3 })) });
    await expect(decide('mia', id)).rejects.toMatchObject({ code: 'not_in_group' });
    await climbTo(id, 3);
    await expect(decide('eve', id)).rejects.toMatchObject({ code: 'not_in_group' });
    await expect(decide('max', id)).rejects.toMatchObject({ code: 'not_an_approver' });
    expect(await decide('mia', id)).toMatchObject({ action: { status: 'approved', approvedBy: 'mia' } });
  });

  test('is left where somebody decides', async () => {
    const id = await ask({ escalate: LADDER.map((step) => ({ ...step, afterS: step.afterS + 0.3 })) });
    await decide('cid', id);
    const { nextEscalationAt, escalationStep } = await read(id);
    expect({ nextEscalationAt, escalationStep }).toEqual({ nextEscalationAt: null, escalationStep: 0 });
    await letTimePass(id);
    await climbLadders(plane.ctx);
    expect((await owedFor(id)).filter(({ kind }) => kind === 'reminder')).toEqual([]);
  });

  test('does not write to whom one of two approvals came from', async () => {
    const id = await ask({ approvals: 2, from: null, escalate: [{ afterS: 0.3, kind: 'approvers' }] });
    await decide('cid', id);
    await climbTo(id, 1);
    const told = (await owedFor(id)).map(({ payload }) => payload);
    expect(told).toEqual([{ ask_of: 'mia' }, { ask_of: 'eve' }]);
  });

  test('is climbed late rather than never, one step after another, and not once the time is over', async () => {
    const id = await ask({ escalate: LADDER });
    await letTimePass(id); // no pump ran
    await climbLadders(plane.ctx);
    expect((await read(id)).escalationStep).toBe(1);
    const past = { expires_at: new Date(Date.now() - 1) };
    await plane.ctx.database.kysely.updateTable('actions').set(past).where('id', '=', id).execute();
    await climbLadders(plane.ctx);
    expect((await read(id)).escalationStep).toBe(1);
  });
});

test('a ladder that waits for Slack holds up nothing else of the pump', async () => {
  const id = await ask({ escalate: [{ afterS: 0.01, kind: 'approvers' }] });
  const { id: serverId } = await insertTestServer(plane.ctx);
  const until = new Date(Date.now() + 50);
  await pauseServer(plane.ctx, plane.asker('ana'), { server: serverId, reason: 'x', until });
  const { promise: asked, resolve: noteAsked } = Promise.withResolvers<undefined>();
  const { promise: answer, resolve: giveAnswer } = Promise.withResolvers<SlackProfile>();
  plane.ctx.slackDirectory = {
    person: () => {
      noteAsked(undefined);
      return answer;
    },
    usergroupMembers: () => Promise.resolve('unsupported'),
  };
  const pump = startPump(plane.ctx, { periodMs: 5 });
  await asked;
  const isPaused = async () => (await getServer(plane.ctx, plane.asker('ana'), serverId)).paused;
  await poll('the pause to end', async () => !(await isPaused()), { timeoutMs: 10_000 });
  expect((await read(id)).escalationStep).toBe(0);
  giveAnswer({ teamId: 'T', isBot: false, isGuest: false, isDeactivated: false, isStranger: false });
  await poll('the step', async () => (await read(id)).escalationStep === 1, { timeoutMs: 10_000 });
  await pump.stop();
  plane.ctx.slackDirectory = null;
});

test('a batch is reminded once a step, however many of its actions wait', async () => {
  const ids = [await ask({ escalate: [{ afterS: 0.3, kind: 'thread' }] })];
  for (let count = 1; count < 4; count++) ids.push(await ask({ escalate: [{ afterS: 0.3, kind: 'thread' }] }));
  const { kysely } = plane.ctx.database;
  const batch = { id: 'batch-1', playbook: 'restart-service', approvals_required: 1, rule: 'r' };
  await kysely.insertInto('action_batches').values(batch).execute();
  await kysely.updateTable('actions').set({ batch_id: batch.id }).where('id', 'in', ids.slice(1)).execute();
  await Promise.all(ids.map((id) => climbTo(id, 1)));
  const reminders = (await Promise.all(ids.map(owedFor))).map((owed) => owed.length);
  expect([reminders[0], reminders.slice(1).toSorted()]).toEqual([1, [0, 0, 1]]);
});

describe('when nobody decides', () => {
  test('the end is expired or rejected, never approved, and the two are told apart everywhere', async () => {
    const before = await countActionsByStatus(plane.ctx);
    plane.config.approvalTimeoutMs = 300;
    const [expiring, rejecting] = [await ask({}), await ask({ onTimeout: 'rejected' })];
    plane.config.approvalTimeoutMs = 60_000;
    await poll('both to end', async () => {
      const ends = [await read(expiring), await read(rejecting)];
      return ends.every(({ status }) => status !== 'pending');
    });
    const [expired, rejected] = [await read(expiring), await read(rejecting)];
    expect(expired).toMatchObject({ status: 'expired', failureCode: 'approval_timeout', rejectedBy: null });
    expect(rejected).toMatchObject({ status: 'rejected', failureCode: 'approval_timeout', rejectedBy: 'system' });
    expect(rejected.rejectedAt).not.toBeNull();
    const eventOf = async (id: string) => (await eventsOf(id)).map(({ actor, event, data }) => [actor, event, data]);
    expect(await eventOf(expiring)).toEqual([['system', 'action.expired', { code: 'approval_timeout' }]]);
    expect(await eventOf(rejecting)).toEqual([['system', 'action.rejected', { code: 'approval_timeout' }]]);
    await expect(decide('cid', expiring)).rejects.toThrow(/has expired/);
    await expect(decide('cid', rejecting)).rejects.toThrow(/was rejected by its rule.*nobody had decided in time/);
    const kindsOf = async (id: string) => (await owedFor(id)).map(({ kind }) => kind);
    expect(await kindsOf(expiring)).toEqual(['notice', 'private']);
    expect(await kindsOf(rejecting)).toEqual(['private']); // a new message in the channel is for failures and expiries
    const after = await countActionsByStatus(plane.ctx);
    const more = (status: string): number => (after.get(status) ?? 0) - (before.get(status) ?? 0);
    expect([more('expired'), more('rejected'), more('approved')]).toEqual([1, 1, 0]);
  });
});
