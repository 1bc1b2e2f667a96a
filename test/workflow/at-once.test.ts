import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { Context } from '../../services/context.ts';
import { bundleWorkflows } from '../../worker/worker.ts';
import { actionWorkflowId } from '../../workflows/contracts/action.contract.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
let connection: Connection;
beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  connection = Connection.lazy({ address: process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] ?? '' });
});
afterAll(async () => {
  await connection.close();
  await plane.stop();
});

/** Records what this person decides, without telling the workflow yet. */
async function record(actionId: string, { by, kind }: { by: string; kind: 'approve' | 'cancel' }): Promise<string> {
  const temporal: Context['temporal'] = { ...plane.ctx.temporal, decide: () => Promise.resolve({ kind: 'away' }) };
  const ctx: Context = { ...plane.ctx, temporal };
  const decisionId = crypto.randomUUID();
  if (kind === 'cancel') await cancelAction(ctx, plane.asker(by), { actionId, decisionId });
  else await decideAction(ctx, plane.asker(by), { actionId, kind, decisionId });
  return decisionId;
}

test('decisions that reach a workflow in the same moment leave a history that any worker can carry on', async () => {
  const { id: server } = await insertTestServer(plane.ctx, { isPaused: true });
  const asking = { server, playbook: 'restart-service', params: { service: 'nginx' } };
  const { id: actionId } = await requestAction(plane.ctx, plane.asker('ana'), asking);
  const [first, ...others] = [
    await record(actionId, { by: 'bob', kind: 'approve' }),
    await record(actionId, { by: 'cid', kind: 'approve' }),
    await record(actionId, { by: 'ana', kind: 'cancel' }),
  ] as [string, string, string];
  const { pool } = plane.ctx.database;
  const holder = await pool.connect(); // while it holds the row, the worker is busy with the first
  await holder.query('begin');
  await holder.query('select 1 from actions where id = $1 for update', [actionId]);
  const applied = [plane.ctx.temporal.decide({ actionId, decisionId: first })];
  const blocked = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await poll('the first to be under way', async () => (await pool.query(blocked)).rowCount === 1);
  for (const decisionId of others) applied.push(plane.ctx.temporal.decide({ actionId, decisionId }));
  await plane.ctx.temporal.isReachable(); // behind them on the same way
  await holder.query('rollback');
  holder.release();
  expect((await Promise.all(applied)).map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);

  const handle = new Client({ connection }).workflow.getHandle(actionWorkflowId(actionId));
  const history = await handle.fetchHistory();
  const taken = history.events?.flatMap(
    ({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) =>
      accepted?.acceptedRequestSequencingEventId?.toString() ?? [],
  );
  expect(taken).toHaveLength(3);
  expect(new Set(taken).size).toBe(2); // else they did not come at once
  const workflowBundle = await bundleWorkflows();
  await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
}, 60_000);
