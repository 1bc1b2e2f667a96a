import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApproveAutomatically } from '../../activities/approve-automatically.ts';
import { updateServer } from '../../db/repositories/server.repository.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { arrange } from '../support/arrange.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane; // without a worker: the test calls the activity at the moment it wants

beforeAll(async () => {
  plane = await createTestControlPlane();
});
afterAll(() => plane.stop());

test.each([
  ['bob', 'bob'],
  [null, 'system'], // paused by nobody that is known
])('a server paused by %s before auto came to it: cancelled by %s, and not by auto', async (pausedBy, by) => {
  const server = await insertTestServer(plane.ctx);
  const params = { service: 'nginx' };
  const { id } = await requestAction(plane.ctx, plane.asker('ana'), {
    server: server.name,
    playbook: 'restart-service',
    params,
  });
  await arrange(plane.ctx.database, (tx) =>
    updateServer(tx, server.id, { paused: true, paused_by: pausedBy, pause_reason: 'kernel update' }),
  );
  await createApproveAutomatically({ database: plane.ctx.database })(id);
  expect(await getAction(plane.ctx, plane.asker('ana'), id)).toMatchObject({
    status: 'cancelled',
    failureCode: 'server_paused',
    cancelledBy: by,
    cancelReason: 'kernel update',
  });
  const { items } = await listAudit(plane.ctx, plane.asker('root'), { limit: 1000 });
  const events = items.filter(({ event, subject }) => subject.id === id && event === 'action.cancelled');
  expect(events).toMatchObject([
    { actor: by, via: 'workflow', data: { code: 'server_paused', reason: 'kernel update' } },
  ]);
});
