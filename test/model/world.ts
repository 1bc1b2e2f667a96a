import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '../../api/create-api.ts';
import { startOutboxPump } from '../../bot/outbox/pump.ts';
import { createLanes } from '../../bot/outbox/lanes.ts';
import { createSealKey } from '../../bot/seal.ts';
import { createWebClient } from '../../bot/transport/web-client.ts';
import { createWorkspace } from '../../bot/workspace.ts';
import { createCatalog } from '../../playbook/catalog.ts';
import { bundleAgent } from '../../sandbox/bundle-agent.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { Context } from '../../services/context.ts';
import { startCheckpointer } from '../../services/audit/checkpointer.ts';
import { startPump } from '../../services/pump.ts';
import { createTemporalGateway } from '../../services/temporal-gateway.ts';
import type { RunningWorker } from '../../worker/worker.ts';
import { bundleWorkflows, startWorker } from '../../worker/worker.ts';
import { CHANNEL, TOKENS } from '../integration/bot-stage.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { Repairs } from './repairs.ts';
import { RULES, writeRepairs } from './repairs.ts';

/** The whole of Medic on real parts, in this process but for the agents, with Temporal behind a way that can be cut. */
export interface World {
  plane: TestControlPlane;
  ctx: Context;
  slack: SlackWorkspace;
  /** Cuts the way to Temporal for so long. */
  cutTemporal(ms: number): Promise<void>;
  /** Resolves when the way is there. */
  mendTemporal(): Promise<void>;
  url: string;
  /** The program that runs on the servers, as it ships. */
  agentFile: string;
  repairs: Repairs;
  /** What really started, a command id a line. */
  readMarks(): string[];
  restartWorker(): Promise<void>;
  close(): Promise<void>;
}

const PUMP_MS = 300; // what was left lying is brought again within a step or two

export async function openWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'medic-model-'));
  const repairs = writeRepairs(folder);
  const { outfile } = await bundleAgent({ outfile: join(folder, 'medic-agent.mjs') });
  const plane = await createTestControlPlane();
  plane.config.playbooks = createCatalog(repairs.files).playbooks;
  plane.config.rules = RULES;
  plane.config.approvalTimeoutMs = 2_000; // a run waits for what nobody decides
  const temporal = await startTcpProxy(process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] ?? '');
  const { address } = temporal;
  const connection = Connection.lazy({ address });
  const native = await NativeConnection.connect({ address });
  const { taskQueue } = plane;
  const client = new Client({ connection, namespace: 'default' });
  const gateway = createTemporalGateway({ client, connection, namespace: 'default', taskQueue });
  const ctx: Context = { ...plane.ctx, temporal: gateway };
  const workflowBundle = await bundleWorkflows();
  const start = (): Promise<RunningWorker> =>
    startWorker({ ...{ database: ctx.database, connection: native, namespace: 'default', taskQueue }, workflowBundle });
  let worker = await start();
  const pump = startPump(ctx, { periodMs: PUMP_MS });
  const checkpointer = startCheckpointer(ctx, { periodMs: PUMP_MS });
  const { slack, outbox } = await startSlackSide(ctx);
  const api = await createApi({ ctx, requestsPerMinute: 1_000_000 });
  return {
    ...{ plane, ctx, slack, repairs },
    agentFile: outfile,
    ...createOutages(temporal),
    url: await api.listen({ host: '127.0.0.1', port: 0 }),
    readMarks: () =>
      readFileSync(repairs.marks, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    restartWorker: async () => {
      await worker.stop();
      worker = await start();
    },
    close: async () => {
      await api.close();
      await checkpointer.stop();
      await pump.stop();
      await outbox.stop();
      await slack.stop();
      await worker.stop();
      await connection.close();
      await native.close();
      await temporal.stop();
      await plane.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The outbox and its senders, at the pace of a test: how fast Slack may be told is no matter here. */
async function startSlackSide(ctx: Context) {
  const slack = await startSlackWorkspace({ port: 0, ...TOKENS });
  const client = createWebClient({ token: TOKENS.botToken, apiUrl: slack.apiUrl, log: ctx.log });
  const sealKey = createSealKey(TOKENS.botToken);
  const deps = { ctx, client, workspace: createWorkspace(client), channel: CHANNEL, sealKey, log: ctx.log };
  const lanes = createLanes(CHANNEL).map((lane) => ({
    ...lane,
    pace: { ...lane.pace, spacingMs: 1, window: { ms: 1_000, messages: 1_000 } },
  }));
  return { slack, outbox: startOutboxPump(deps, lanes) };
}

function createOutages(temporal: TcpProxy): Pick<World, 'cutTemporal' | 'mendTemporal'> {
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done;
    return done;
  };
  const mendTemporal = (): Promise<void> => inOrder(temporal.mend);
  return {
    mendTemporal,
    cutTemporal: async (ms) => {
      await inOrder(temporal.cut);
      setTimeout(() => void mendTemporal(), ms);
    },
  };
}
