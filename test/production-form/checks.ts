import { equal, match, ok } from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { actionWorkflowId } from '../../workflows/contracts/action.contract.ts';
import { poll } from '../support/poll.ts';
import { createApiClient } from './api-client.ts';
import type { Answer, ApiClient } from './api-client.ts';
import type { MedicDeployment } from './medic-deployment.ts';
import type { Part, Parts } from './parts.ts';
import { SERVER } from './playbooks.ts';
import type { TemporalServer } from './temporal-server.ts';

/** What the checks share; the later ones build on what the earlier ones left. */
export interface Stage {
  parts: Parts;
  temporal: TemporalServer;
  deployment: MedicDeployment;
  controlPlane?: Part;
  as?: Record<'operator' | 'ownApprover' | 'approver' | 'auditor' | 'admin', ApiClient>;
  auditorToken?: string;
  automaticId?: string;
  approvedId?: string;
}

export interface Check {
  name: string;
  /** Throws what was wrong. A text is a fact to be shown. */
  run(stage: Stage): Promise<unknown>;
}

const MAX_EVENTS = { automatic: 20, approved: 28 }; // what Temporal is paid for; the limits

export const CHECKS: readonly Check[] = [
  { name: 'the control plane refuses a database without its schema', run: refuseEmptyDatabase },
  { name: 'migrate up brings the schema', run: migrate },
  { name: 'tokens, the control plane and an enrolled agent', run: startEverything },
  { name: 'an automatic action completes', run: completeAutomatically },
  { name: 'an action on a paused server waits, its requester may not approve it, another person may', run: approve },
  { name: 'a failing action ends as failed with its exit code', run: fail },
  { name: 'a running action is cancelled and its process is gone', run: cancel },
  { name: 'kill -9 of the control plane in the middle of an action: it completes, started once', run: surviveKill },
  { name: `workflow histories hold at most ${Object.values(MAX_EVENTS).join(' and ')} events`, run: countEvents },
  { name: 'the exported audit log verifies', run: verifyAudit },
  { name: 'SIGTERM ends the control plane within ten seconds', run: stopControlPlane },
];

async function refuseEmptyDatabase({ deployment }: Stage): Promise<void> {
  const refusal = await deployment.medic(['server']).then(
    () => 'it started',
    (error: unknown) => String(error),
  );
  match(refusal, /medic migrate up/);
}

async function migrate({ deployment }: Stage): Promise<void> {
  await deployment.medic(['migrate', 'up']);
  const status = JSON.parse(await deployment.medic(['migrate', 'status', '--json'])) as Record<string, unknown>;
  equal(JSON.stringify(status['pending']), '[]');
}

async function startEverything(stage: Stage): Promise<void> {
  const { deployment } = stage;
  const { url } = deployment;
  stage.auditorToken = await deployment.createToken('cid', 'auditor');
  const client = async (principal: string, role: string): Promise<ApiClient> =>
    createApiClient({ url, token: await deployment.createToken(principal, role) });
  stage.as = {
    operator: await client('ana', 'operator'),
    ownApprover: await client('ana', 'approver'),
    approver: await client('bob', 'approver'),
    admin: await client('root', 'admin'),
    auditor: createApiClient({ url, token: stage.auditorToken }),
  };
  stage.controlPlane = await deployment.startControlPlane();
  const enrolment = await stage.as.admin.post('/servers/enrollment-tokens', { server_name: SERVER });
  equal(enrolment.status, 201, describe(enrolment));
  await deployment.startAgent(String(enrolment.body['token']));
  await poll(`${SERVER} to be online`, async () => {
    const { body } = await clients(stage).operator.get('/servers');
    return (body['items'] as { status: string }[]).some(({ status }) => status === 'online');
  });
}

async function completeAutomatically(stage: Stage): Promise<void> {
  const file = join(stage.deployment.workDir, 'automatic');
  const id = await request(stage, 'touch-file', { file });
  const action = await waitForEnd(stage, id);
  equal(action['status'], 'completed', JSON.stringify(action));
  equal(action['approved_by'], 'auto');
  equal(action['exit_code'], 0);
  ok(existsSync(file), 'the file that it was to leave is not there');
  stage.automaticId = id;
}

async function approve(stage: Stage): Promise<void> {
  const { operator, ownApprover, approver } = clients(stage);
  const serverId = await findServerId(stage);
  const paused = await operator.put(`/servers/${serverId}/pause`, { reason: 'a rehearsal' });
  equal(paused.status, 200, describe(paused));
  const file = join(stage.deployment.workDir, 'approved');
  const id = await request(stage, 'touch-file', { file });
  const own = await ownApprover.post(`/actions/${id}/approve`, {});
  equal(own.status, 403, describe(own));
  equal(own.body['code'], 'own_request');
  equal((await operator.get(`/actions/${id}`)).body['status'], 'pending');
  const approval = await approver.post(`/actions/${id}/approve`, { reason: 'seen' });
  equal(approval.status, 200, describe(approval));
  const action = await waitForEnd(stage, id);
  equal(action['status'], 'completed', JSON.stringify(action));
  equal(action['approved_by'], 'bob');
  ok(existsSync(file), 'the file that it was to leave is not there');
  const unpaused = await operator.put(`/servers/${serverId}/unpause`, {});
  equal(unpaused.status, 200, describe(unpaused));
  stage.approvedId = id;
}

async function fail(stage: Stage): Promise<void> {
  const action = await waitForEnd(stage, await request(stage, 'fail-always', {}));
  equal(action['status'], 'failed', JSON.stringify(action));
  equal(action['failure_code'], 'exit_nonzero');
  equal(action['exit_code'], 1);
}

async function cancel(stage: Stage): Promise<void> {
  const gated = await startGated(stage, 'cancelled');
  const answer = await clients(stage).operator.post(`/actions/${gated.id}/cancel`, { reason: 'not needed' });
  equal(answer.status, 200, describe(answer));
  const action = await waitForEnd(stage, gated.id);
  equal(action['status'], 'cancelled', JSON.stringify(action));
  gated.open();
  equal(readFileSync(gated.marker, 'utf8').trim().split('\n').length, 1, 'it went on after it was cancelled');
}

async function surviveKill(stage: Stage): Promise<void> {
  const gated = await startGated(stage, 'killed');
  ok(stage.controlPlane, 'it is not running');
  process.kill(stage.controlPlane.process.pid, 'SIGKILL');
  await stage.controlPlane.process.ended;
  gated.open();
  await poll('the repair to end', () => /^end /m.test(readFileSync(gated.marker, 'utf8')));
  stage.controlPlane = await stage.deployment.startControlPlane();
  const action = await waitForEnd(stage, gated.id);
  equal(action['status'], 'completed', JSON.stringify(action));
  const starts = readFileSync(gated.marker, 'utf8').match(/^start /gm) ?? [];
  equal(starts.length, 1, `it was started ${starts.length} times`);
}

async function countEvents({ temporal, automaticId, approvedId }: Stage): Promise<string> {
  const connection = Connection.lazy({ address: temporal.address });
  try {
    const client = new Client({ connection, namespace: temporal.namespace });
    const count = async (id: string | undefined): Promise<number> => {
      ok(id !== undefined, 'the action that this counts did not complete');
      const { events } = await client.workflow.getHandle(actionWorkflowId(id)).fetchHistory();
      return events?.length ?? 0;
    };
    const [automatic, approved] = [await count(automaticId), await count(approvedId)];
    ok(automatic > 0 && automatic <= MAX_EVENTS.automatic, `the automatic action's history has ${automatic} events`);
    ok(approved > 0 && approved <= MAX_EVENTS.approved, `the approved action's history has ${approved} events`);
    return `${automatic} automatic, ${approved} approved`;
  } finally {
    await connection.close();
  }
}

async function verifyAudit({ deployment, auditorToken }: Stage): Promise<void> {
  const client = { MEDIC_URL: deployment.url, MEDIC_TOKEN: auditorToken ?? '' };
  const file = join(deployment.workDir, 'audit.jsonl');
  writeFileSync(file, await deployment.medic(['audit', 'export'], client));
  ok(readFileSync(file, 'utf8').includes('"action.completed"'), 'the export tells of no completed action');
  await deployment.medic(['audit', 'verify', file]);
}

async function stopControlPlane({ controlPlane }: Stage): Promise<void> {
  ok(controlPlane, 'it is not running');
  const startedAt = performance.now();
  process.kill(controlPlane.process.pid, 'SIGTERM');
  const end = await controlPlane.process.ended;
  equal(end.exitCode, 0, controlPlane.printed());
  ok(performance.now() - startedAt < 10_000, 'it took longer than ten seconds');
}

function clients(stage: Stage): NonNullable<Stage['as']> {
  if (stage.as === undefined) throw new Error('the deployment did not start');
  return stage.as;
}

async function findServerId(stage: Stage): Promise<string> {
  const { body } = await clients(stage).operator.get('/servers');
  const server = (body['items'] as { id: string; name: string }[]).find(({ name }) => name === SERVER);
  ok(server, `no server ${SERVER}`);
  return server.id;
}

async function request(stage: Stage, playbook: string, params: object): Promise<string> {
  const answer = await clients(stage).operator.post('/actions', { server: SERVER, playbook, params });
  equal(answer.status, 201, describe(answer));
  return String(answer.body['id']);
}

async function waitForEnd(stage: Stage, id: string): Promise<Record<string, unknown>> {
  return poll(`action ${id} to end`, async () => {
    const { body } = await clients(stage).operator.get(`/actions/${id}`);
    return ['pending', 'approved', 'executing'].includes(String(body['status'])) ? null : body;
  });
}

/** Resolves when its process runs and the control plane knows; it ends when the gate is opened. */
async function startGated(stage: Stage, name: string): Promise<{ id: string; marker: string; open(): void }> {
  const marker = join(stage.deployment.workDir, `${name}-marker`);
  const gate = join(stage.deployment.workDir, `${name}-gate`);
  const id = await request(stage, 'gated-repair', { marker, gate });
  await poll(`action ${id} to run`, async () => {
    const { body } = await clients(stage).operator.get(`/actions/${id}`);
    return body['status'] === 'executing' && existsSync(marker);
  });
  return { id, marker, open: () => writeFileSync(gate, '') };
}

function describe({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body)}`;
}
