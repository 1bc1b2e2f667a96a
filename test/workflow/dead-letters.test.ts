import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Playbook } from '../../playbook/playbook.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { cancelAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import type { Context } from '../../services/context.ts';
import { dismissDeadLetter } from '../../services/dead-letters/dismiss.ts';
import { listDeadLetters } from '../../services/dead-letters/read-dead-letters.ts';
import type { ReplayOutcome } from '../../services/dead-letters/replay-many.ts';
import { replayMany } from '../../services/dead-letters/replay-many.ts';
import { replayAction } from '../../services/dead-letters/replay.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { insertTestServer } from '../support/servers.ts';
import type { Run } from './attempts-stage.ts';
import { startRun } from './attempts-stage.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});
afterAll(() => plane.stop());

const FAILED = { status: 'failed', exit_code: 1 };
const isOver = ({ completedAt }: ActionView): boolean => completedAt !== null;
const listed = async (query: object = {}): Promise<string[]> =>
  (await listDeadLetters(plane.ctx, plane.asker('ana'), query)).items.map(({ id }) => id);
const replay = (actionId: string, more: object = {}) =>
  replayAction(plane.ctx, plane.asker('ana'), { actionId, ...more });
const dismiss = (actionId: string, reason: string | undefined, as = 'ana') =>
  dismissDeadLetter(plane.ctx, plane.asker(as), { actionId, reason });

/** What is not tried again, failed. */
async function fail(): Promise<Run> {
  const run = await startRun(plane, { isIdempotent: false });
  await run.end(FAILED);
  await run.waitFor('its end', isOver);
  return run;
}

/** As after a reload of the configuration. */
function change(name: string, edit: (playbook: Playbook) => Playbook | null): () => void {
  const before = plane.config.playbooks;
  const edited = edit(before.get(name) as Playbook);
  const others = [...before].filter(([other]) => other !== name);
  plane.config.playbooks = new Map(edited === null ? others : [...others, [name, edited]]);
  return () => {
    plane.config.playbooks = before;
  };
}

test('what failed is listed with its code, attempts and parameters; what completed or was withdrawn is not', async () => {
  const [failed, done] = [await fail(), await startRun(plane, { isIdempotent: false })];
  await done.end({});
  expect(await done.waitFor('its end', isOver)).toMatchObject({ status: 'completed', deadLetter: null });
  const { name: paused } = await insertTestServer(plane.ctx, { isPaused: true });
  const { id: withdrawn } = await requestAction(plane.ctx, plane.asker('ana'), {
    ...{ server: paused, playbook: 'restart-service', params: { service: 'nginx' } },
  });
  const withdrawal = await cancelAction(plane.ctx, plane.asker('ana'), { actionId: withdrawn, reason: 'a mistake' });
  expect(withdrawal.action.status).toBe('cancelled');
  expect(await listed({ server: failed.server })).toEqual([failed.id]);
  expect(await listed({ code: 'exit_nonzero' })).toContain(failed.id);
  expect(await listed({ code: 'timed_out' })).toEqual([]);
  expect(await listed({ server: paused })).toEqual([]);
  expect((await failed.read()).attempts).toMatchObject([{ failureCode: 'exit_nonzero', exitCode: 1 }]);
});

describe('a replay', () => {
  test('is a new action under today’s rules, linked both ways, and takes the letter', async () => {
    const { id, server, agent } = await fail();
    await pauseServer(plane.ctx, plane.asker('bob'), { server, reason: 'kernel update' });
    const { action, sentence } = await replay(id);
    expect(action).toMatchObject({ server, status: 'pending', approvalsRequired: 1, replayOf: id });
    expect(action).toMatchObject({ isReplayChanged: false, attempt: 1, requestedBy: 'ana' });
    expect(sentence).toContain('it waits for a new approval.');
    expect((await agent.beatOnce()).commands).toEqual([]);
    expect(await listed({ server })).toEqual([]);
    const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
    const about = items
      .filter(({ event }) => event === 'action.replayed')
      .map(({ subject, data }) => [subject.id, data]);
    expect(about).toContainEqual([id, { replayed_as: action.id }]);
  });

  test('happens once where several try at the same time, and once a key', async () => {
    const first = await fail();
    const tries = await Promise.allSettled([replay(first.id), replay(first.id), replay(first.id)]);
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const tried of tries)
      if (tried.status === 'rejected') expect(tried.reason).toMatchObject({ code: 'not_a_dead_letter' });
    const second = await fail();
    const requestKey = `a-test:${second.id}`;
    const [once, again] = [await replay(second.id, { requestKey }), await replay(second.id, { requestKey })];
    expect(again.action.id).toBe(once.action.id);
  });

  test('tells that the playbook has changed, and is refused where it is gone', async () => {
    const [changed, gone] = [await fail(), await fail()];
    const { playbook } = await changed.read();
    const undo = change(playbook, (known) => ({ ...known, digest: `sha256:${'1'.repeat(64)}` }));
    const { action, sentence } = await replay(changed.id).finally(undo);
    expect(action.isReplayChanged).toBe(true);
    expect(sentence).toContain('Its playbook has changed since');
    const putBack = change(playbook, () => null);
    await expect(replay(gone.id).finally(putBack)).rejects.toMatchObject({ code: 'unknown_playbook' });
    expect((await gone.read()).deadLetter).toBe('open');
  });

  test('is for who may request, and of a dead letter only', async () => {
    const { id } = await fail();
    await expect(replayAction(plane.ctx, plane.asker('cid'), { actionId: id })).rejects.toMatchObject({
      code: 'role_missing',
    });
    const running = await startRun(plane, { isIdempotent: false });
    await expect(replay(running.id)).rejects.toMatchObject({ code: 'not_a_dead_letter' });
  });
});

describe('a replay of many', () => {
  const many = (filter: object, limit?: number) => replayMany(plane.ctx, plane.asker('ana'), { filter, limit });
  const made = (outcomes: readonly ReplayOutcome[]) => outcomes.map(({ id, replayed }) => [id, replayed?.action.id]);

  test('takes up under its key what it began, and waits for no workflow', async () => {
    const never = new Promise<never>(() => undefined);
    const stuck: Context = { ...plane.ctx, temporal: { ...plane.ctx.temporal, startAction: () => never } };
    const ids = [(await fail()).id, (await fail()).id, (await fail()).id];
    const wanted = { filter: { code: 'exit_nonzero' }, requestKey: 'a-test:many' };
    const begun = made(await replayMany(stuck, plane.asker('ana'), { ...wanted, limit: 1 })); // and died
    const whole = made(await replayMany(stuck, plane.asker('ana'), { ...wanted, limit: 2 }));
    expect(whole.map(([id]) => id)).toEqual([ids[2], ids[1]]);
    expect(whole[0]).toEqual(begun[0]);
    expect(made(await replayMany(stuck, plane.asker('ana'), { ...wanted, limit: 2 }))).toEqual(whole);
    expect(await listed({ code: 'exit_nonzero', limit: 1 })).toEqual([ids[0]]);
  });

  test.each([{}, { server: '' }, { server: undefined, code: ' ' }, { server: 'no-such-server' }])(
    'refuses %j as no_targets',
    async (filter) => {
      await expect(many(filter)).rejects.toMatchObject({ code: 'no_targets' });
    },
  );

  test('takes the latest that match, up to the limit, and says what became of each', async () => {
    const { ctx } = plane;
    const run = await fail();
    const rows = await ctx.database.kysely
      .selectFrom('actions')
      .select('id')
      .where('dead_letter', '=', 'open')
      .execute();
    expect(rows.length).toBeGreaterThan(1);
    await expect(many({ server: run.server }, 51)).rejects.toMatchObject({ code: 'invalid_limit' });
    expect(await many({ server: run.server }, 5)).toMatchObject([
      { id: run.id, error: null, replayed: { action: { replayOf: run.id } } },
    ]);
    const latest = (await listed({ code: 'exit_nonzero' }))[0];
    expect((await many({ code: 'exit_nonzero' }, 1)).map(({ id }) => id)).toEqual([latest]);
  });
});

test('dismissing needs a reason and an operator, closes it once, and is audited', async () => {
  const { id, server, read } = await fail();
  await expect(dismiss(id, ' ')).rejects.toMatchObject({ code: 'reason_missing' });
  await expect(dismiss(id, 'old', 'cid')).rejects.toMatchObject({ code: 'role_missing' });
  expect(await dismiss(id, 'the server is gone')).toMatchObject({
    ...{ deadLetter: 'dismissed', dismissedBy: 'ana', dismissReason: 'the server is gone', status: 'failed' },
  });
  expect(await listed({ server })).toEqual([]);
  expect(await dismiss(id, 'the server is gone')).toMatchObject({ dismissedBy: 'ana' }); // the answer was lost
  await expect(dismiss(id, 'the server is gone', 'bob')).rejects.toMatchObject({ code: 'not_a_dead_letter' });
  await expect(dismiss(id, 'again')).rejects.toMatchObject({ code: 'not_a_dead_letter' });
  await expect(replay(id)).rejects.toMatchObject({ code: 'not_a_dead_letter' });
  expect((await read()).dismissReason).toBe('the server is gone');
});
