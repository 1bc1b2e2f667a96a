import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createActivities } from '../../activities/index.ts';
import { claimNextApprovedAction } from '../../db/repositories/action.repository.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { describeEnd } from '../../services/actions/describe-end.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { declareHalt } from '../../services/halts/declare-halt.ts';
import { liftHalt } from '../../services/halts/lift-halt.ts';
import { readHalt } from '../../services/halts/read-halts.ts';
import { readQueue } from '../../services/queue/read-queue.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { arrange } from '../support/arrange.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { createResult } from '../support/scripted-agent.ts';
import type { Run } from './attempts-stage.ts';
import { startRun } from './attempts-stage.ts';

let plane: TestControlPlane;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
});
afterAll(() => plane.stop());

const FAILED = { status: 'failed', exit_code: 1 };
const isBetween = ({ nextAttemptAt }: ActionView): boolean => nextAttemptAt !== null;
const isOver = ({ completedAt }: ActionView): boolean => completedAt !== null;

async function setAction(id: string, change: { expires_at?: Date; next_attempt_at?: Date }): Promise<void> {
  await plane.ctx.database.kysely.updateTable('actions').set(change).where('id', '=', id).execute();
}

const ago = (ms: number): Date => new Date(Date.now() - ms);

async function eventsOf(id: string): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
  return items.filter(({ subject, data }) => subject.id === id || data['action_id'] === id);
}

/** By the words of the first column of the table in docs/error-handling.md. */
const PLACES: Readonly<Record<string, (run: Run) => Promise<unknown>>> = {
  'its time to start is over': async (run) => {
    await run.waitFor('its approval', ({ status }) => status === 'approved');
    await setAction(run.id, { expires_at: ago(1) });
    await run.enforceDeadline();
  },
  'its agent refuses it for what it is': (run) =>
    run.end({ status: 'refused', code: 'not_allowed_here', exit_code: null, started_at: null }),
  'its agent refuses it for now': (run) =>
    run.end({ status: 'refused', code: 'refused_disk', exit_code: null, started_at: null }),
  'its first program cannot be started': (run) => run.end({ status: 'failed', exit_code: 127, started_at: null }),
  'a step or a check fails': (run) => run.end(FAILED),
  'it runs too long': (run) => run.end({ status: 'timed_out', exit_code: null }),
  'its agent is killed, or the server reboots': (run) => run.end({ status: 'interrupted', exit_code: null }),
  'its agent is lost': async (run) => {
    await run.start();
    await run.lose();
  },
  'somebody cancels it': async (run) => {
    const command = await run.start();
    await run.cancel();
    await run.agent.beatOnce({ results: [createResult(command, { status: 'cancelled', exit_code: null })] });
  },
};

/** `[place, idempotent, again | ends]`, one a cell. */
function readCells(): [place: string, isIdempotent: boolean, outcome: string][] {
  const text = readFileSync(new URL('../../docs/error-handling.md', import.meta.url), 'utf8');
  const lines = text.slice(text.indexOf('## Attempts')).split('\n## ')[0]?.split('\n') ?? [];
  const rows = lines.filter((line) => line.startsWith('| ') && !line.includes('---')).slice(1);
  return rows.flatMap((row): [string, boolean, string][] => {
    const [place = '', , , once = '', often = ''] = row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return [
      [place, false, once],
      [place, true, often],
    ];
  });
}

describe('what the table of attempts says, cell by cell', () => {
  const cells = readCells();

  test('it has nine places, each played here', () => {
    expect([...new Set(cells.map(([place]) => place))].toSorted()).toEqual(Object.keys(PLACES).toSorted());
    expect(cells).toHaveLength(18);
  });

  test.each(cells)('%s, idempotent %s: %s', async (place, isIdempotent, outcome) => {
    const run = await startRun(plane, { isIdempotent });
    await PLACES[place]?.(run);
    const after = await run.waitFor('what follows', (action) => isBetween(action) || isOver(action));
    const events = (await eventsOf(run.id)).map(({ event }) => event);
    expect(['again', 'ends']).toContain(outcome);
    const isAgain = outcome === 'again';
    expect({ isBetween: isBetween(after), isOver: isOver(after) }).toEqual({ isBetween: isAgain, isOver: !isAgain });
    expect(after.attempt).toBe(isAgain ? 2 : 1);
    expect(events.includes('action.attempt_failed')).toBe(isAgain);
  });

  test.each(['timed_out', 'interrupted'])('%s ends where a process of it may be left', async (status) => {
    const run = await startRun(plane, { isIdempotent: true });
    await run.end({ status, code: 'kill_unconfirmed', exit_code: null });
    expect(await run.waitFor('its end', isOver)).toMatchObject({ status: 'failed', failureCode: status, attempt: 1 });
  });
});

test('each attempt has an id and a record of its own, and the server is free between them', async () => {
  const run = await startRun(plane, { isIdempotent: true, backoff: '2s' });
  const first = await run.start();
  await run.agent.beatOnce({ results: [createResult(first, FAILED)] });
  const between = await run.waitFor('the wait', isBetween);
  expect(between).toMatchObject({ status: 'executing', attempt: 2, maxAttempts: 3, exitCode: 1, queuedBehind: null });
  const waitMs = (between.nextAttemptAt?.getTime() ?? 0) - (between.attempts[0]?.endedAt?.getTime() ?? 0);
  expect(waitMs).toBeGreaterThanOrEqual(900);
  expect(waitMs).toBeLessThanOrEqual(2_100);
  const other = await requestAction(plane.ctx, plane.asker('ana'), {
    ...{ server: run.server, playbook: 'restart-service', params: { service: 'nginx' } },
  });
  expect((await run.end({})).action_id).toBe(other.id);
  const second = await run.start();
  expect(second).toMatchObject({ action_id: run.id, attempt: 2, playbook_digest: first.playbook_digest });
  expect(second.command_id).not.toBe(first.command_id);
  expect(second.nbf * 1000).toBeGreaterThanOrEqual((between.nextAttemptAt?.getTime() ?? 0) - 1_000);
  expect(await run.read()).toMatchObject({ exitCode: null, stdout: null, nextAttemptAt: null });
  await run.agent.beatOnce({ results: [createResult(second)] });
  const ended = await run.waitFor('its end', isOver);
  expect(ended).toMatchObject({ status: 'completed', attempt: 2, exitCode: 0, failureCode: null });
  expect(ended.attempts).toMatchObject([
    { attempt: 1, commandId: first.command_id, exitCode: 1, failureCode: 'exit_nonzero' },
    { attempt: 2, commandId: second.command_id, exitCode: 0, failureCode: null },
  ]);
  expect((await eventsOf(run.id)).map(({ event, data }) => [event, data['attempt']])).toEqual([
    ['action.requested', undefined],
    ['action.approved', undefined],
    ['command.issued', 1],
    ['action.started', 1],
    ['action.attempt_failed', 1],
    ['command.issued', 2],
    ['action.started', 2],
    ['action.completed', 2],
  ]);
});

test('ends with the code of the last attempt when there are no more', async () => {
  const run = await startRun(plane, { isIdempotent: true, backoff: '1s' });
  for (const attempt of [1, 2, 3]) expect((await run.end(FAILED)).attempt).toBe(attempt);
  expect(await run.waitFor('its end', isOver)).toMatchObject({ status: 'failed', failureCode: 'exit_nonzero' });
  expect((await run.read()).attempts).toHaveLength(3);
  expect((await run.agent.beatOnce()).commands).toEqual([]);
});

test('is handed out after its agent was lost only when that agent has called and lists nothing', async () => {
  const run = await startRun(plane, { isIdempotent: true });
  const lost = await run.start();
  await run.lose();
  await setAction(run.id, { next_attempt_at: ago(1_000) });
  const claim = () => arrange(plane.ctx.database, (tx) => claimNextApprovedAction(tx, { serverId: run.serverId }));
  expect(await claim()).toBeNull();
  const busy = await run.agent.beatOnce({ running: [lost.command_id] });
  expect(busy).toMatchObject({ commands: [], cancel: [lost.command_id] });
  expect(await run.agent.fetchCommand()).toMatchObject({ action_id: run.id, attempt: 2 });
});

test('is never handed to an agent that was enrolled after the lost one', async () => {
  const run = await startRun(plane, { isIdempotent: true });
  await run.start();
  await run.lose();
  await setAction(run.id, { next_attempt_at: ago(1_000) });
  const key = { id: run.id, kid: run.id, server_id: run.serverId, public_key: '{}', created_at: new Date() };
  const { kysely } = plane.ctx.database;
  await kysely
    .updateTable('agent_keys')
    .set({ revoked_at: new Date() })
    .where('server_id', '=', run.serverId)
    .execute();
  await kysely.insertInto('agent_keys').values(key).execute();
  expect((await run.agent.beatOnce()).commands).toEqual([]);
  await setAction(run.id, { expires_at: ago(1) });
  await run.enforceDeadline();
  expect(await run.read()).toMatchObject({ status: 'failed', failureCode: 'retry_unstarted' });
});

test('fails where the next attempt could not start in time, and only once', async () => {
  const run = await startRun(plane, { isIdempotent: true });
  await run.end(FAILED);
  await run.waitFor('the wait', isBetween);
  await setAction(run.id, { next_attempt_at: ago(2_000), expires_at: ago(1_000) });
  expect((await run.agent.beatOnce()).commands).toEqual([]);
  await Promise.all([run.enforceDeadline(), run.enforceDeadline()]);
  expect(await run.read()).toMatchObject({ status: 'failed', failureCode: 'retry_unstarted', exitCode: 1 });
  const failures = (await eventsOf(run.id)).filter(({ event }) => event === 'action.failed');
  expect(failures).toMatchObject([{ data: { why: 'queue_timeout' } }]);
});

describe('between two attempts', () => {
  test('it stands in the queue, and counts as what waits under a halt', async () => {
    const run = await startRun(plane, { isIdempotent: true, backoff: '59m' }); // nobody else's playbook
    const { playbook } = await run.end(FAILED);
    const { attempts, expiresAt } = await run.waitFor('the wait', isBetween);
    const queued = async () =>
      (await readQueue(plane.ctx, plane.asker('ana'))).servers.find(({ server }) => server === run.server);
    expect(await queued()).toMatchObject({
      waiting: { count: 0 },
      held: null,
      actions: [
        { id: run.id, status: 'executing', since: attempts[0]?.endedAt, until: expiresAt, why: { code: 'retry' } },
      ],
    });
    await setAction(run.id, { next_attempt_at: ago(1_000) });
    expect((await queued())?.actions).toMatchObject([{ why: { code: 'next' } }]);
    const { id } = await declareHalt(plane.ctx, plane.asker('bob'), { reason: 'a test', playbook });
    expect((await queued())?.actions).toMatchObject([{ why: { code: 'frozen' } }]);
    const covered = await readHalt(plane.ctx, id);
    await liftHalt(plane.ctx, plane.asker('bob'), { id: String(id) });
    expect(covered).toMatchObject({ running: 0, waiting: 1 });
    expect(await run.waitFor('its end', isOver)).toMatchObject({ status: 'cancelled', failureCode: 'frozen' });
  });

  test('cancelling ends it at once, and nothing is handed out any more', async () => {
    const run = await startRun(plane, { isIdempotent: true, backoff: '1s' });
    await run.end(FAILED);
    await run.waitFor('the wait', isBetween);
    await run.cancel();
    expect(await run.read()).toMatchObject({ status: 'cancelled', cancelledBy: 'bob', nextAttemptAt: null });
    expect((await run.agent.beatOnce({ waitS: 2 })).commands).toEqual([]);
  });

  test('pausing the server ends what `auto` approved', async () => {
    const run = await startRun(plane, { isIdempotent: true });
    await run.end(FAILED);
    await run.waitFor('the wait', isBetween);
    await pauseServer(plane.ctx, plane.asker('bob'), { server: run.server, reason: 'kernel update' });
    const ended = await run.waitFor('its end', isOver);
    expect(ended).toMatchObject({ status: 'cancelled', failureCode: 'server_paused', mayHaveRun: false });
    expect(describeEnd(ended)).toMatch(/: the server was paused, so it did not run again\.$/);
  });

  test('cancelling after its agent was lost does not claim that nothing of it runs', async () => {
    const run = await startRun(plane, { isIdempotent: true });
    await run.start();
    await run.lose();
    await run.cancel();
    const unconfirmed = { status: 'failed', failureCode: 'cancel_unconfirmed', mayHaveRun: true };
    expect(await run.read()).toMatchObject(unconfirmed);
  });

  test('what comes again of the attempt before changes nothing', async () => {
    const run = await startRun(plane, { isIdempotent: true });
    const { command_id: commandId } = await run.end(FAILED);
    const { nextAttemptAt } = await run.waitFor('the wait', isBetween);
    const { adoptResult, markExecuting } = createActivities({ database: plane.ctx.database });
    await adoptResult({ actionId: run.id, commandId });
    await markExecuting({ actionId: run.id, commandId });
    expect(await run.read()).toMatchObject({ attempt: 2, nextAttemptAt });
  });
});

describe('the database refuses', () => {
  const refusal = (text: string, id: string): Promise<string | null> =>
    plane.ctx.database.pool.query(text, [id]).then(
      () => null,
      (error: { constraint?: string }) => error.constraint ?? 'another error',
    );

  test('an attempt that skips one, follows none that ended, or exceeds the number of the request', async () => {
    const run = await startRun(plane, { isIdempotent: true });
    const next = 'update actions set attempt = attempt + 1, next_attempt_at = now() where id = $1';
    await run.start();
    expect(await refusal(next, run.id)).toBe('action_attempt');
    await run.lose();
    expect(await refusal('update actions set attempt = attempt + 1 where id = $1', run.id)).toBe('action_attempt');
    expect(await refusal(`update actions set retry = '{"attempts":9}' where id = $1`, run.id)).toBe(
      'action_request_fixed',
    );
    expect(await refusal('update actions set attempt = attempt - 1 where id = $1', run.id)).toBe('action_attempt');
  });

  test('a second attempt of what was started and is not idempotent', async () => {
    const run = await startRun(plane, { isIdempotent: false });
    const { command_id: commandId } = await run.start();
    await plane.ctx.database.pool.query(`update commands set state = 'ended' where id = $1`, [commandId]);
    const next = 'update actions set attempt = 2, next_attempt_at = now() where id = $1';
    expect(await refusal(next, run.id)).toBe('action_attempt');
  });

  test('a command for an attempt that is not owed yet', async () => {
    const run = await startRun(plane, { isIdempotent: true });
    await run.end(FAILED);
    await run.waitFor('the wait', isBetween);
    const insert = `insert into commands (id, action_id, attempt, server_id, seq, exp)
      select 'early-' || id, id, attempt, server_id, 99, now() from actions where id = $1`;
    expect(await refusal(insert, run.id)).toBe('command_attempt');
    await setAction(run.id, { next_attempt_at: ago(1_000) });
    expect(await refusal(insert, run.id)).toBeNull();
  });
});
