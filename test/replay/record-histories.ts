import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../sandbox/postgres.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { CommandPayload } from '../../protocol/messages.ts';
import { actionWorkflowId } from '../../workflows/contracts/action.contract.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

/*
 * Records one history of each way an action can go, into histories/<release>/. Run it when the workflow has changed
 * and the new form is released: `node test/replay/record-histories.ts --release 2`. What is there is never recorded
 * again: those histories stand for runs that were in flight when the code changed.
 */
type Scenario = (plane: TestControlPlane) => Promise<string>;

const ask = (plane: TestControlPlane, server: string): Promise<{ id: string }> =>
  requestAction(plane.ctx, plane.asker('ana'), { server, playbook: 'restart-service', params: { service: 'nginx' } });

async function run(plane: TestControlPlane, input: { paused: boolean; result: object }): Promise<string> {
  const { id: serverId } = await insertTestServer(plane.ctx, { isPaused: input.paused });
  const agent = createScriptedAgent(plane.ctx, serverId);
  const { id } = await ask(plane, serverId);
  if (input.paused) await decideAction(plane.ctx, plane.asker('bob'), { actionId: id, kind: 'approve' });
  const command: CommandPayload = await agent.fetchCommand();
  await agent.beatOnce({ running: [command.command_id] });
  await agent.beatOnce({ results: [createResult(command, input.result)] });
  return id;
}

async function askPaused(plane: TestControlPlane): Promise<string> {
  return (await ask(plane, (await insertTestServer(plane.ctx, { isPaused: true })).id)).id;
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'automatic-completed': (plane) => run(plane, { paused: false, result: {} }),
  'automatic-failed': (plane) => run(plane, { paused: false, result: { status: 'failed', exit_code: 3 } }),
  'approved-completed': (plane) => run(plane, { paused: true, result: {} }),
  rejected: async (plane) => {
    const id = await askPaused(plane);
    await decideAction(plane.ctx, plane.asker('bob'), { actionId: id, kind: 'reject', reason: 'no' });
    return id;
  },
  cancelled: async (plane) => {
    const id = await askPaused(plane);
    await cancelAction(plane.ctx, plane.asker('ana'), { actionId: id });
    return id;
  },
  'expired-undecided': (plane) => {
    plane.config.approvalTimeoutMs = 1_000;
    return askPaused(plane);
  },
  'expired-unstarted': async (plane) => {
    plane.config.startWithinMs = 1_000;
    return (await ask(plane, (await insertTestServer(plane.ctx)).id)).id;
  },
};

const { values } = parseArgs({ options: { release: { type: 'string' } } });
const folder = join(import.meta.dirname, 'histories', values.release ?? '');
if (values.release === undefined || existsSync(folder)) {
  throw new Error('Name a release that has no histories yet: --release 2');
}
const postgres = await startPostgres({ dataDir: mkdtempSync(join(tmpdir(), 'medic-record-')), isEphemeral: true });
const temporal = await startTemporal();
process.env['MEDIC_TEST_POSTGRES_URL'] = postgres.adminUrl;
process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
const plane = await createTestControlPlane();
await plane.startWorker();
const connection = await Connection.connect({ address: temporal.address });
mkdirSync(folder, { recursive: true });
for (const [name, play] of Object.entries(SCENARIOS)) {
  const handle = new Client({ connection }).workflow.getHandle(actionWorkflowId(await play(plane)));
  await handle.result();
  const history = await handle.fetchHistory();
  writeFileSync(join(folder, `${name}.json`), historyToJSON(history));
  console.log(`${name}: ${history.events?.length ?? 0} events`);
}
await connection.close();
await plane.stop();
await temporal.stop();
await postgres.stop();
