import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { isDatabaseAway, isGuardViolation } from '../../db/errors.ts';
import { Server } from '../../db/entities/server.entity.ts';
import { arrange } from '../support/arrange.ts';
import {
  claimNextApprovedAction,
  countQueued,
  findActionById,
  listActions,
  transitionAction,
} from '../../db/repositories/action.repository.ts';
import { lockAutoApprovedActions } from '../../db/repositories/attempt.repository.ts';
import type { ActionCursor } from '../../db/repositories/action.repository.ts';
import { insertCommand, updateCommand } from '../../db/repositories/command.repository.ts';
import { recordDecision, settleDecision } from '../../db/repositories/decision.repository.ts';
import { enqueueOutbox, leaseOutbox, lockNextDue, markOutboxSent } from '../../db/repositories/outbox.repository.ts';
import { insertLateResult, insertResult, listUnadoptedResults } from '../../db/repositories/result.repository.ts';
import { insertEnrollmentToken, useEnrollmentToken } from '../../db/repositories/token.repository.ts';
import { seedAction, seedDecision, seedServer, walkAction } from '../fixtures/db/seed.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

describe('the record', () => {
  let db: TestDatabase;
  let serverId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  beforeEach(async () => {
    serverId = await seedServer(db.database);
  });
  afterAll(() => db.drop());

  const soon = () => new Date(Date.now() + 60_000);
  const handOut = (actionId: string) =>
    arrange(db.database, (tx) =>
      insertCommand(tx, { id: randomUUID(), actionId, attempt: 1, serverId, issuedAt: new Date(), exp: soon() }),
    );

  test('shows an action with its server’s name and who approved, in order', async () => {
    const id = await seedAction(db.database, { serverId, approvals_required: 2, params: '{"service":"nginx"}' });
    await seedDecision(db.database, { actionId: id, principal: 'bob' });
    await seedDecision(db.database, { actionId: id, principal: 'cid' });
    const action = await findActionById(db.database, id);
    expect(action).toMatchObject({ id, server_name: `web-${serverId}`, server_paused: false, status: 'pending' });
    expect(action?.params).toEqual({ service: 'nginx' });
    expect(action?.requested_at).toBeInstanceOf(Date);
    expect(action?.approvals.map(({ by }) => by)).toEqual(['bob', 'cid']);
    expect(await findActionById(db.database, 'unknown')).toBeNull();
  });

  test('moves an action once where many try at the same time', async () => {
    const id = await seedAction(db.database, { serverId });
    const moved = await Promise.all(
      Array.from({ length: 8 }, () =>
        arrange(db.database, (tx) =>
          transitionAction(tx, { id, from: ['pending'], to: 'rejected', set: { rejected_by: 'bob' } }),
        ),
      ),
    );
    expect(moved.filter((row) => row !== null)).toHaveLength(1);
    expect(await findActionById(db.database, id)).toMatchObject({ status: 'rejected', completed_at: expect.any(Date) });
  });

  test('pages newest first without repeating or losing any of the same millisecond', async () => {
    const at = new Date('2026-01-01T00:00:00.123Z');
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      ids.push(await seedAction(db.database, { serverId, requested_at: at, playbook: `paged-${serverId}` }));
    }
    const seen: string[] = [];
    let after: ActionCursor | undefined;
    do {
      const page = await listActions(db.database, { playbook: `paged-${serverId}`, limit: 3, after });
      seen.push(...page.items.map(({ id }) => id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(ids.toSorted().toReversed());
    expect(
      (await listActions(db.database, { server: `web-${serverId}`, status: 'pending', limit: 100 })).items,
    ).toHaveLength(7);
    expect((await listActions(db.database, { server: 'other', limit: 100 })).items).toEqual([]);
  });

  test('hands out in the order of approval, one at a time, each with the next number', async () => {
    const [late, early] = [await seedAction(db.database, { serverId }), await seedAction(db.database, { serverId })];
    await walkAction(db.database, early, 'approved');
    await walkAction(db.database, late, 'approved');
    const next = () =>
      arrange(db.database, async (tx) => (await claimNextApprovedAction(tx, { serverId }))?.id ?? null);
    expect(await countQueued(db.database, [serverId])).toEqual(new Map([[serverId, 2]]));
    expect(await next()).toBe(early);
    const first = await handOut(early);
    expect(first.seq).toBe(1);
    expect(await next()).toBeNull();
    await arrange(db.database, (tx) => updateCommand(tx, first.id, { state: 'ended', ended_at: new Date() }));
    expect(await next()).toBe(late);
    expect((await handOut(late)).seq).toBe(2);
  });

  test('does not hand out what ran out of time or is being cancelled', async () => {
    for (const change of ['expires_at = now()', 'cancel_requested_at = now()']) {
      const id = await seedAction(db.database, { serverId });
      await walkAction(db.database, id, 'approved');
      await db.database.pool.query(`update actions set ${change} where id = $1`, [id]);
    }
    expect(await arrange(db.database, (tx) => claimNextApprovedAction(tx, { serverId }))).toBeNull();
  });

  test('finds for a pause what auto approved and was not handed out, and nothing else', async () => {
    const [waiting, handed, byPerson] = [
      await seedAction(db.database, { serverId }),
      await seedAction(db.database, { serverId }),
      await seedAction(db.database, { serverId }),
    ];
    for (const id of [waiting, handed, byPerson]) {
      await db.database.pool.query(`update actions set status = 'approved', approved_by = $2 where id = $1`, [
        id,
        id === byPerson ? 'bob' : 'auto',
      ]);
    }
    await handOut(handed);
    const rows = await arrange(db.database, (tx) => lockAutoApprovedActions(tx, serverId));
    expect(rows.map(({ id }) => id)).toEqual([waiting]);
  });

  test('records a click once and settles it once', async () => {
    const actionId = await seedAction(db.database, { serverId, approvals_required: 1 });
    const click = { id: randomUUID(), action_id: actionId, kind: 'approve' as const, principal: 'bob', via: 'slack' };
    await arrange(db.database, (tx) => recordDecision(tx, click));
    expect(await arrange(db.database, (tx) => recordDecision(tx, { ...click, reason: 'again' }))).toMatchObject({
      reason: null,
      status: 'recorded',
    });
    const settle = () =>
      arrange(db.database, (tx) => settleDecision(tx, { id: click.id, status: 'applied', answer: { ok: true } }));
    expect(await settle()).toMatchObject({ status: 'applied', answer: { ok: true } });
    expect(await settle()).toBeNull();
    const second = { ...click, id: randomUUID() };
    const error: unknown = await arrange(db.database, async (tx) => {
      await recordDecision(tx, second);
      await settleDecision(tx, { id: second.id, status: 'applied' });
    }).catch((reason: unknown) => reason);
    expect(isGuardViolation(error)).toBe('already_decided');
  });

  test('keeps one result a command, and late ones beside it', async () => {
    const actionId = await seedAction(db.database, { serverId });
    const result = { command_id: randomUUID(), action_id: actionId, attempt: 1, status: 'completed', exit_code: 0 };
    expect(await arrange(db.database, (tx) => insertResult(tx, result))).not.toBeNull();
    expect(await arrange(db.database, (tx) => insertResult(tx, result))).toBeNull();
    await arrange(db.database, (tx) => insertLateResult(tx, result));
    const waiting = await listUnadoptedResults(db.database, { receivedBefore: soon(), limit: 100 });
    expect(waiting.filter(({ command_id }) => command_id === result.command_id)).toHaveLength(1);
  });

  test('owes Slack a card once, and again where it changed while it was sent', async () => {
    const actionId = await seedAction(db.database, { serverId });
    const owe = () => arrange(db.database, (tx) => enqueueOutbox(tx, { kind: 'card', actionId }));
    const claim = () =>
      db.database.kysely.transaction().execute(async (kysely) => {
        const entry = await lockNextDue(kysely, { lane: 'post', mayHurry: true });
        if (entry !== null) await leaseOutbox(kysely, { ids: [entry.id], leaseMs: 60_000 });
        return entry;
      });
    const claimOne = async () => {
      const entry = await claim();
      if (entry === null) throw new Error('Nothing is owed.');
      return entry;
    };
    await owe();
    await owe();
    const sending = await claimOne();
    expect(sending).toMatchObject({ action_id: actionId, attempts: 0 });
    expect(await claim()).toBeNull();
    await owe();
    expect(await claim()).toBeNull(); // a newer state waits until the older is through
    expect(await markOutboxSent(db.database, sending)).toBe(false);
    const again = await claimOne();
    expect(again.id).toBe(sending.id);
    expect(await markOutboxSent(db.database, again)).toBe(true);
    expect(await claim()).toBeNull();
  });

  test('uses an enrolment token once, also where two try at the same time', async () => {
    const token = { id: randomUUID(), token_hash: randomUUID(), server_name: 'web-1', created_by: 'root' };
    await arrange(db.database, (tx) => insertEnrollmentToken(tx, { ...token, expires_at: soon() }));
    const used = await Promise.all(
      [1, 2, 3].map(() => arrange(db.database, (tx) => useEnrollmentToken(tx, token.token_hash))),
    );
    expect(used.filter((row) => row !== null)).toHaveLength(1);
  });

  test('sees entities of the ORM and rows of Kysely in one transaction', async () => {
    const id = randomUUID();
    const failing = arrange(db.database, async ({ em, kysely }) => {
      em.create(Server, { id, name: id, tags: ['a'], playbooks: [{ name: 'p', digest: 'd' }] });
      await em.flush();
      const row = await kysely.selectFrom('servers').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      expect(row).toMatchObject({ tags: ['a'], playbooks: [{ name: 'p', digest: 'd' }], next_seq: 1, paused: false });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await db.database.orm.em.fork().findOne(Server, id)).toBeNull();
  });

  test('outlives connections that the database ends, idle or in the middle of a transaction', async () => {
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await Promise.all([1, 2, 3].map(() => db.database.pool.query('select pg_sleep(0.05)')));
    const error: unknown = await arrange(db.database, async ({ kysely }) => {
      await db.database.pool.query(kill);
      await kysely.selectFrom('servers').selectAll().execute();
    }).catch((reason: unknown) => reason);
    expect(isDatabaseAway(error)).toBe(true);
    expect((await db.database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
