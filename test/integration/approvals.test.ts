import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import type { ApprovalRule, RiskLevel } from '../../domain/policy.ts';
import type { Asker, Principal } from '../../domain/principal.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { DecisionInput } from '../../services/actions/decide-action.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { enrollTotp } from '../../services/totp/enroll-totp.ts';
import { makeTotpCode } from '../../services/totp/totp-code.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;

const person = (name: string, roles: Principal['roles'], groups: string[] = []): Principal => ({
  name,
  roles,
  groups,
  slackUserId: null,
});

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  const people = [
    person('ana', ['operator', 'admin']),
    person('bob', ['approver'], ['sre', 'dba']),
    person('cid', ['approver'], ['sre']),
    person('dan', ['approver'], ['sre']),
    person('eve', ['approver'], ['dba']),
    person('fay', ['approver']),
    person('root', ['admin']),
  ];
  plane.config.principals = new Map(people.map((one) => [one.name, one]));
});
afterAll(() => plane.stop());

function setRule(rule: Partial<ApprovalRule>): void {
  plane.config.rules = [{ ...DEFAULT_TERMS, when: {}, approvals: 1, from: null, ...rule }];
}

function setRisk(risk: RiskLevel): void {
  const playbook = plane.config.playbooks.get('restart-service');
  if (playbook === undefined) throw new Error('restart-service is not shipped');
  plane.config.playbooks = new Map([...plane.config.playbooks, ['restart-service', { ...playbook, risk }]]);
}

async function ask(reason?: string): Promise<ActionView> {
  const { name: server } = await insertTestServer(plane.ctx);
  const input = { server, playbook: 'restart-service', params: { service: 'nginx' }, reason };
  return requestAction(plane.ctx, plane.asker('ana'), input);
}

const decide = (name: string, input: DecisionInput & { kind?: 'approve' | 'reject' }, asker?: Asker) =>
  decideAction(plane.ctx, asker ?? plane.asker(name), { kind: 'approve', ...input });

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  );

async function auditOf(id: string): Promise<{ event: string; actor: string; data: Record<string, unknown> }[]> {
  const { rows } = await plane.ctx.database.pool.query<{ body: string }>(
    'select body from audit_events where subject_id = $1 order by seq',
    [id],
  );
  return rows.map(({ body }) => JSON.parse(body) as { event: string; actor: string; data: Record<string, unknown> });
}

const statusOf = async (id: string): Promise<string> => (await getAction(plane.ctx, plane.asker('ana'), id)).status;

describe('a quorum', () => {
  test('takes two people, each of another group, in whatever order they come', async () => {
    setRisk('low');
    setRule({ approvals: 2, from: ['sre', 'dba'], distinctGroups: true });
    const asked = await ask();
    expect(asked.approvalRule).toContain('2 people of sre or dba must approve, each of another group');
    const first = await decide('bob', { actionId: asked.id }); // of both groups: cid takes sre, so bob is dba
    expect(first.sentence).toContain('1 of 2');
    expect(await codeOf(decide('bob', { actionId: asked.id }))).toBe('already_decided');
    expect(await codeOf(decide('fay', { actionId: asked.id }))).toBe('not_in_group');
    expect((await decide('cid', { actionId: asked.id })).action).toMatchObject({
      status: 'approved',
      approvals: [
        { by: 'bob', groups: ['sre', 'dba'] },
        { by: 'cid', groups: ['sre'] },
      ],
    });
  });

  test('does not count two people of one group, also where they click in the same instant', async () => {
    setRisk('low');
    setRule({ approvals: 2, from: ['sre', 'dba'], distinctGroups: true });
    const asked = await ask();
    const codes = await Promise.all(['cid', 'dan'].map((name) => codeOf(decide(name, { actionId: asked.id }))));
    expect(codes.toSorted()).toEqual(['done', 'group_already_heard']);
    expect(await statusOf(asked.id)).toBe('pending');
    expect(await codeOf(decide('eve', { actionId: asked.id }))).toBe('done');
    expect(await statusOf(asked.id)).toBe('approved');
  });

  test('is held by the database too: approvals of one group never approve', async () => {
    setRisk('low');
    setRule({ approvals: 2, from: ['sre', 'dba'], distinctGroups: true });
    const { id } = await ask();
    for (const name of ['cid', 'dan']) {
      await plane.ctx.database.pool.query(
        `insert into decisions (id, action_id, kind, principal, via, status, groups)
         values ($1, $2, 'approve', $3, 'api', 'applied', '{sre}')`,
        [`${id}-${name}`, id, name],
      );
    }
    const move = plane.ctx.database.pool.query(`update actions set status = 'approved' where id = $1`, [id]);
    await expect(move).rejects.toMatchObject({ constraint: 'action_approvals' });
  });
});

describe('a request', () => {
  test('needs a reason where its rule says so', async () => {
    setRisk('low');
    setRule({ isReasonRequired: true });
    expect(await codeOf(ask())).toBe('reason_missing');
    expect((await ask('a leak')).requirement).toMatchObject({ isReasonRequired: true, onTimeout: 'expired' });
  });
});

describe('a risky action', () => {
  test('of risk high wants the server’s name and a reason, every field told at once', async () => {
    setRisk('high');
    setRule({});
    const asked = await ask();
    await expect(decide('bob', { actionId: asked.id })).rejects.toMatchObject({
      code: 'confirm_server_missing',
      fields: [{ path: 'confirm_server' }, { path: 'reason', code: 'reason_missing' }],
    });
    const wrongName = { actionId: asked.id, reason: 'ok', confirmServer: 'web-0' };
    expect(await codeOf(decide('bob', wrongName))).toBe('confirm_server_mismatch');
    const given = { actionId: asked.id, reason: 'looked at it', confirmServer: ` ${asked.server} ` };
    expect((await decide('bob', given)).action).toMatchObject({ status: 'approved', approvedBy: 'bob' });
  });

  test('is rejected without any of it', async () => {
    setRisk('critical');
    setRule({});
    const asked = await ask();
    const { action } = await decide('bob', { actionId: asked.id, kind: 'reject', reason: 'no' });
    expect(action.status).toBe('rejected');
  });
});

describe('one-time codes', () => {
  const proofs = (asked: ActionView, totp?: string): DecisionInput => ({
    actionId: asked.id,
    confirmServer: asked.server,
    reason: 'needed',
    totp,
  });
  const enroll = async (name: string): Promise<(steps?: number) => string> => {
    const root = plane.asker('root');
    const { secret } = await enrollTotp(plane.ctx, root, { principal: name, isReplacing: true });
    return (steps = 0) => makeTotpCode({ secret, nowMs: Date.now() + steps * 30_000 });
  };
  const wrong = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

  beforeAll(() => {
    setRisk('critical');
    setRule({});
  });

  test('approve what is critical, each once', async () => {
    const code = await enroll('bob');
    const [one, two] = [await ask(), await ask()];
    expect(await codeOf(decide('bob', proofs(one)))).toBe('totp_missing');
    const used = code();
    expect((await decide('bob', proofs(one, used))).action).toMatchObject({ status: 'approved', approvedBy: 'bob' });
    expect(await codeOf(decide('bob', proofs(two, used)))).toBe('totp_reused');
    expect(await codeOf(decide('bob', proofs(two, code(-1))))).toBe('totp_reused'); // older than a used one
    expect(await statusOf(two.id)).toBe('pending');
  });

  test('approve once, also where the same code comes five times in the same instant', async () => {
    const code = (await enroll('bob'))();
    const asked = await Promise.all(Array.from({ length: 5 }, () => ask()));
    const codes = await Promise.all(asked.map((action) => codeOf(decide('bob', proofs(action, code)))));
    expect(codes.toSorted()).toEqual(['done', ...Array.from({ length: 4 }, () => 'totp_reused')]);
  });

  test('are asked for once by a click that is delivered twice', async () => {
    const code = (await enroll('bob'))();
    const asked = await ask();
    const click = { ...proofs(asked, code), decisionId: `click-${asked.id}` };
    expect(await Promise.all([codeOf(decide('bob', click)), codeOf(decide('bob', click))])).toEqual(['done', 'done']);
    expect((await getAction(plane.ctx, plane.asker('ana'), asked.id)).approvals).toHaveLength(1);
  });

  test('of a wrong clock are refused, and of another person too', async () => {
    const bobs = await enroll('bob');
    const cids = await enroll('cid');
    const asked = await ask();
    expect(await codeOf(decide('bob', proofs(asked, bobs(-4))))).toBe('totp_wrong');
    expect(await codeOf(decide('bob', proofs(asked, bobs(4))))).toBe('totp_wrong');
    expect(await codeOf(decide('bob', proofs(asked, cids())))).toBe('totp_wrong');
    expect(await codeOf(decide('bob', proofs(asked, bobs())))).toBe('done');
  });

  test('cannot be guessed: the fifth wrong one locks them, good ones too, and the audit has it', async () => {
    const code = await enroll('dan');
    const asked = await ask();
    const guesses = Array.from({ length: 8 }, () => codeOf(decide('dan', proofs(asked, wrong(code())))));
    const codes = (await Promise.all(guesses)).toSorted();
    expect(codes).toEqual([...Array(4).fill('totp_locked'), ...Array(4).fill('totp_wrong')]);
    await expect(decide('dan', proofs(asked, code()))).rejects.toMatchObject({
      code: 'totp_locked',
      details: { retry_after_s: expect.any(Number) },
    });
    expect(await statusOf(asked.id)).toBe('pending');
    const locks = (await auditOf('dan')).filter(({ event }) => event === 'principal.totp_locked');
    expect(locks).toMatchObject([{ actor: 'dan', data: { tries: 5 } }]);
    const refused = (await auditOf(asked.id)).filter(({ event }) => event === 'decision.refused');
    expect(refused).toHaveLength(9);
    await plane.ctx.database.pool.query(
      `update principal_totps set locked_until = now() - interval '1 second' where principal = 'dan'`,
    );
    expect(await codeOf(decide('dan', proofs(asked, code())))).toBe('done');
  });

  test('are refused where there is no secret, no key, or another key', async () => {
    const asked = await ask();
    expect(await codeOf(decide('eve', proofs(asked, '123456')))).toBe('totp_not_enrolled');
    const code = (await enroll('cid'))();
    for (const secretsKey of [null, Buffer.alloc(32, 8)]) {
      const input = { kind: 'approve' as const, ...proofs(asked, code) };
      const elsewhere = decideAction({ ...plane.ctx, secretsKey }, plane.asker('cid'), input);
      expect(await codeOf(elsewhere)).toBe('totp_unavailable');
    }
    expect(await codeOf(decide('cid', proofs(asked, code)))).toBe('done');
  });

  test('are enrolled once unless they are replaced, and stand nowhere in clear', async () => {
    const root = plane.asker('root');
    const { secret } = await enrollTotp(plane.ctx, root, { principal: 'fay', isReplacing: false });
    expect(await codeOf(enrollTotp(plane.ctx, root, { principal: 'fay', isReplacing: false }))).toBe('totp_enrolled');
    expect(await codeOf(enrollTotp(plane.ctx, root, { principal: 'fax', isReplacing: false }))).toBe(
      'unknown_principal',
    );
    const asked = await ask();
    const code = makeTotpCode({ secret, nowMs: Date.now() });
    expect(await codeOf(decide('fay', proofs(asked, code)))).toBe('done');
    const { rows } = await plane.ctx.database.pool.query<{ text: string }>(
      `select t::text as text from principal_totps t union all select body from audit_events
       union all select d::text from decisions d`,
    );
    const all = rows.map(({ text }) => text).join('\n');
    expect(all).toContain('principal.totp_enrolled');
    expect(all).not.toContain(secret);
    expect(all).not.toMatch(new RegExp(`\\b${code}\\b`));
  });
});

describe('breaking the glass', () => {
  test('approves past quorum, group and code, with the server’s name and a reason, in the channel and the audit', async () => {
    setRisk('critical');
    setRule({ approvals: 2, from: ['sre', 'dba'], distinctGroups: true });
    const asked = await ask();
    const given = { actionId: asked.id, breakGlass: true };
    expect(await codeOf(decide('cid', given))).toBe('not_an_admin');
    expect(await codeOf(decide('ana', given))).toBe('own_request'); // an admin too
    await expect(decide('root', given)).rejects.toMatchObject({
      fields: [{ path: 'confirm_server' }, { path: 'reason' }],
    });
    const { action, sentence } = await decide('root', {
      ...given,
      reason: 'the site is down',
      confirmServer: asked.server,
    });
    expect(sentence).toContain('broke the glass');
    expect(action).toMatchObject({ status: 'approved', approvedBy: 'root', approvals: [{ isBreakGlass: true }] });
    const events = await auditOf(asked.id);
    const byRoot = events.filter(({ actor }) => actor === 'root').map(({ event }) => event);
    expect(byRoot).toEqual(['action.approved', 'action.break_glass']);
    expect(events.find(({ event }) => event === 'action.break_glass')?.data).toMatchObject({
      reason: 'the site is down',
    });
    const { rows } = await plane.ctx.database.pool.query(
      `select payload from slack_outbox where action_id = $1 and kind = 'notice'`,
      [asked.id],
    );
    expect(rows).toEqual([{ payload: { kind: 'break_glass', by: 'root', reason: 'the site is down' } }]);
  });

  test('takes a reason at any risk, and without it an admin is held to the rule like everyone', async () => {
    setRisk('low');
    setRule({ approvals: 1, from: ['sre'] });
    const asked = await ask();
    expect(await codeOf(decide('root', { actionId: asked.id }))).toBe('not_in_group');
    expect(await codeOf(decide('root', { actionId: asked.id, breakGlass: true }))).toBe('reason_missing');
    expect(await statusOf(asked.id)).toBe('pending');
  });

  test('is fixed with the decision and never without a reason, by the database too', async () => {
    setRisk('low');
    setRule({ approvals: 2 });
    const { id } = await ask();
    const { pool } = plane.ctx.database;
    const insert = (reason: string | null, kind: string) =>
      pool.query(
        `insert into decisions (id, action_id, kind, principal, via, reason, break_glass)
         values ($1 || $3, $1, $3, 'root', 'api', $2, true)`,
        [id, reason, kind],
      );
    await expect(insert(null, 'approve')).rejects.toMatchObject({ constraint: 'decisions_break_glass_check' });
    await expect(insert('why', 'reject')).rejects.toMatchObject({ constraint: 'decisions_break_glass_check' });
    await decide('bob', { actionId: id });
    for (const change of ['break_glass = true, reason = $$x$$', `groups = '{sre,dba}'`]) {
      const changed = pool.query(`update decisions set ${change} where action_id = $1`, [id]);
      await expect(changed).rejects.toMatchObject({ constraint: 'decision_fixed' });
    }
  });

  test('is refused by the database for the requester', async () => {
    setRisk('low');
    setRule({ approvals: 1 });
    const { id } = await ask();
    await plane.ctx.database.pool.query(
      `insert into decisions (id, action_id, kind, principal, via, reason, status, break_glass)
       values ($1, $1, 'approve', 'ana', 'api', 'mine', 'applied', true)`,
      [id],
    );
    const move = plane.ctx.database.pool.query(`update actions set status = 'approved' where id = $1`, [id]);
    await expect(move).rejects.toMatchObject({ constraint: 'action_approvals' });
  });
});

describe('a playbook that changed since the request', () => {
  test.each(['changed', 'gone'])('is not approved: %s, the action ends as cancelled by system', async (how) => {
    setRisk('low');
    setRule({});
    const asked = await ask();
    const before = plane.config.playbooks;
    const playbook = before.get('restart-service');
    if (playbook === undefined) throw new Error('restart-service is not shipped');
    const others = [...before].filter(([name]) => name !== 'restart-service');
    const changed = { ...playbook, digest: `sha256:${'1'.repeat(64)}` };
    plane.config.playbooks = new Map(how === 'gone' ? others : [...before, ['restart-service', changed]]);
    try {
      expect(await codeOf(decide('ana', { actionId: asked.id }))).toBe('own_request'); // who may not, ends nothing
      expect(await statusOf(asked.id)).toBe('pending');
      const codes = await Promise.all(['bob', 'cid'].map((name) => codeOf(decide(name, { actionId: asked.id }))));
      expect(codes).toContain('playbook_changed');
      expect(codes.filter((code) => !['playbook_changed', 'already_ended'].includes(code))).toEqual([]);
    } finally {
      plane.config.playbooks = before;
    }
    expect(await getAction(plane.ctx, plane.asker('ana'), asked.id)).toMatchObject({
      status: 'cancelled',
      failureCode: 'playbook_changed',
      cancelledBy: 'system',
      approvals: [],
    });
    expect((await auditOf(asked.id)).filter(({ event }) => event === 'action.cancelled')).toHaveLength(1);
    await expect(decide('bob', { actionId: asked.id })).rejects.toMatchObject({ code: 'already_ended' });
  });
});
