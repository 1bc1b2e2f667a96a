import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isGuardViolation } from '../../db/errors.ts';
import { arrange } from '../support/arrange.ts';
import { seedAction, seedDecision, seedServer, walkAction } from '../fixtures/db/seed.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

const ROADS = {
  completed: ['approved', 'executing', 'completed'],
  failed: ['approved', 'failed'],
  rejected: ['rejected'],
  expired: ['expired'],
  cancelled: ['approved', 'executing', 'cancelled'],
};

describe('the database itself', () => {
  let db: TestDatabase;
  let serverId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    serverId = await seedServer(db.database);
  });
  afterAll(() => db.drop());

  const run = (sql: string, values: unknown[] = []) => db.database.pool.query(sql, values);
  const refusal = async (sql: string, values: unknown[] = []) => {
    const error: unknown = await run(sql, values).then(
      () => null,
      (reason: unknown) => reason,
    );
    return isGuardViolation(error);
  };
  const setStatus = (id: string, status: string) =>
    refusal('update actions set status = $2, exit_code = 0 where id = $1', [id, status]);

  describe.each(Object.entries(ROADS))('of an action that ended as %s', (end, road) => {
    test.each(['pending', 'approved', 'executing', 'completed', 'failed', 'rejected', 'expired', 'cancelled'])(
      'refuses to make it %s',
      async (status) => {
        const id = await seedAction(db.database, { serverId });
        await walkAction(db.database, id, ...road);
        expect(await setStatus(id, status)).toBe(status === end ? null : 'action_ended');
      },
    );

    test('still takes a permalink, a late result and the null of a deleted alert', async () => {
      await run(`insert into alerts (id, source, title) values ($1, 'test', 'Disk full')`, [`alert-${end}`]);
      const id = await seedAction(db.database, { serverId, alert_id: `alert-${end}` });
      await walkAction(db.database, id, ...road);
      await run(`update actions set slack_permalink = 'https://example.test', slack_ts = '1.2' where id = $1`, [id]);
      await run(
        `insert into results (command_id, action_id, attempt, status, is_late) values ($1, $1, 1, 'completed', true)`,
        [id],
      );
      await run('delete from alerts where id = $1', [`alert-${end}`]);
      const { rows } = await run('select status, alert_id, slack_ts from actions where id = $1', [id]);
      expect(rows).toEqual([{ status: end, alert_id: null, slack_ts: '1.2' }]);
    });
  });

  test.each([
    [[], 'executing'],
    [[], 'completed'],
    [[], 'failed'],
    [['approved'], 'pending'],
    [['approved'], 'rejected'],
    [['approved'], 'completed'],
    [['approved', 'executing'], 'approved'],
    [['approved', 'executing'], 'expired'],
    [[], 'rolled_sideways'],
  ])('refuses the step from %j to %s', async (road, status) => {
    const id = await seedAction(db.database, { serverId });
    await walkAction(db.database, id, ...road);
    expect(await setStatus(id, status)).toBe('illegal_transition');
  });

  test('refuses an action that does not begin as pending', async () => {
    expect(
      await refusal(
        `insert into actions (id, server_id, playbook, playbook_digest, risk, status, requested_by, requested_via,
           approvals_required, approval_timeout_s, start_within_s, timeout_s)
         values ('x', $1, 'p', 'd', 'low', 'approved', 'ana', 'api', 0, 1, 1, 1)`,
        [serverId],
      ),
    ).toBe('action_begins_pending');
  });

  test('refuses approval below the number fixed at the request, and takes it at that number', async () => {
    const id = await seedAction(db.database, { serverId, approvals_required: 2 });
    await seedDecision(db.database, { actionId: id, principal: 'bob' });
    expect(await setStatus(id, 'approved')).toBe('approvals_missing');
    await seedDecision(db.database, { actionId: id, principal: 'ana' });
    expect(await setStatus(id, 'approved')).toBe('approvals_missing');
    await seedDecision(db.database, { actionId: id, principal: 'cid' });
    expect(await setStatus(id, 'approved')).toBeNull();
  });

  test('refuses to lower the number, or to change what was asked for', async () => {
    const id = await seedAction(db.database, { serverId, approvals_required: 1 });
    expect(await refusal('update actions set approvals_required = 0 where id = $1', [id])).toBe('request_fixed');
    expect(await refusal(`update actions set params = '{"a":1}' where id = $1`, [id])).toBe('request_fixed');
    expect(await refusal(`update actions set requested_by = 'eve' where id = $1`, [id])).toBe('request_fixed');
  });

  test('refuses a second decision by the same person, of either kind, and takes another person’s', async () => {
    const id = await seedAction(db.database, { serverId, approvals_required: 2 });
    await seedDecision(db.database, { actionId: id, principal: 'bob' });
    for (const kind of ['approve', 'reject'] as const) {
      const error: unknown = await seedDecision(db.database, { actionId: id, principal: 'bob', kind }).catch((e) => e);
      expect(isGuardViolation(error)).toBe('already_decided');
    }
    await seedDecision(db.database, { actionId: id, principal: 'cid', kind: 'reject' });
  });

  test('refuses to change or remove a decision that was applied', async () => {
    const id = await seedAction(db.database, { serverId, approvals_required: 2 });
    const decision = await seedDecision(db.database, { actionId: id, principal: 'bob' });
    expect(await refusal(`update decisions set principal = 'cid' where id = $1`, [decision])).toBe('decision_fixed');
    expect(await refusal(`update decisions set status = 'refused' where id = $1`, [decision])).toBe('decision_fixed');
    expect(await refusal('delete from decisions where id = $1', [decision])).toBe('decision_fixed');
  });

  test('refuses a completed action without an exit code, dry runs aside', async () => {
    const real = await seedAction(db.database, { serverId });
    const dry = await seedAction(db.database, { serverId, dry_run: true });
    for (const id of [real, dry]) {
      await walkAction(db.database, id, 'approved', 'executing');
    }
    const complete = `update actions set status = 'completed' where id = $1`;
    expect(await refusal(complete, [real])).toBe('exit_code_missing');
    expect(await refusal(complete, [dry])).toBeNull();
  });

  test('refuses two commands handed out on one server, and one for an action nobody approved', async () => {
    const busy = await seedServer(db.database);
    const other = await seedServer(db.database);
    const [first, second, pending] = await Promise.all([
      seedAction(db.database, { serverId: busy }),
      seedAction(db.database, { serverId: busy }),
      seedAction(db.database, { serverId: busy }),
    ]);
    await walkAction(db.database, first, 'approved');
    await walkAction(db.database, second, 'approved');
    const hand = (action: string, seq: number, server = busy) =>
      refusal(`insert into commands (id, action_id, attempt, server_id, seq, exp) values ($1, $2, 1, $3, $4, now())`, [
        randomUUID(),
        action,
        server,
        seq,
      ]);
    expect(await hand(pending, 1)).toBe('action_not_approved');
    expect(await hand(first, 1, other)).toBe('action_not_approved');
    expect(await hand(first, 1)).toBeNull();
    expect(await hand(second, 2)).toBe('command_outstanding');
    await run(`update commands set state = 'ended' where action_id = $1`, [first]);
    expect(await hand(first, 2)).toBe('attempt_handed_out');
    expect(await hand(second, 2)).toBeNull();
  });

  test('refuses to change, delete, truncate, forge or reorder audit events', async () => {
    await arrange(db.database, async (tx) =>
      tx.audit({ actor: 'ana', via: 'api', event: 'action.requested', subject: { type: 'action', id: '1' } }),
    );
    expect(await refusal(`update audit_events set actor = 'eve'`)).toBe('audit_append_only');
    expect(await refusal('delete from audit_events')).toBe('audit_append_only');
    expect(await refusal('truncate audit_events')).toBe('audit_append_only');
    expect(await refusal('truncate audit_head')).toBe('audit_append_only');
    expect(await refusal('update audit_head set seq = 0')).toBe('audit_append_only');
    expect(await refusal('delete from audit_head')).toBe('audit_append_only');
    expect(
      await refusal(
        `insert into audit_events (seq, body, at, actor, via, event, subject_type, subject_id)
         values (99, '{"seq":99,"prev":"x","hash":"y"}', now(), 'eve', 'api', 'token.created', 'token', '1')`,
      ),
    ).toBe('audit_chain');
  });

  test('names the guard also through the ORM’s own error', async () => {
    const id = await seedAction(db.database, { serverId });
    await walkAction(db.database, id, 'rejected');
    const error: unknown = await arrange(db.database, ({ em }) =>
      em.execute(`update actions set status = 'approved' where id = ?`, [id]),
    ).catch((reason: unknown) => reason);
    expect(isGuardViolation(error)).toBe('action_ended');
  });
});
