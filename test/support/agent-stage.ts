import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { createCatalog } from '../../playbook/catalog.ts';
import type { SigningKey } from '../../protocol/keys.ts';
import type { StoredEnrolment } from '../../protocol/messages.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import { createTestControlPlane } from './context.ts';
import type { TestControlPlane } from './context.ts';
import { poll } from './poll.ts';

/** A control plane over HTTP, to which agents come as processes of their own. */
export interface AgentStage {
  plane: TestControlPlane;
  app: FastifyInstance;
  url: string;
  makeToken(server: string): Promise<string>;
  /** A place for an agent, enrolled under this name; its playbook is `run-script`. */
  enroll(server: string): Promise<AgentHome>;
  request(server: string): Promise<ActionView>;
  /** Until it has ended. */
  settle(id: string): Promise<ActionView>;
  run(server: string): Promise<ActionView>;
  serverId(server: string): Promise<string>;
  audited(event: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** The same on every server. */
const PLAYBOOK = `name: run-script
title: Run a program
risk: low
timeout: 20s
steps:
  - run: [/bin/sleep, "0"]
`;

export async function openAgentStage(): Promise<AgentStage> {
  const plane = await createTestControlPlane();
  await plane.startWorker();
  const app = await createApi({ ctx: plane.ctx });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const homes: AgentHome[] = [];
  plane.config.playbooks = createCatalog([{ file: 'run-script.yaml', text: PLAYBOOK }]).playbooks;
  const { kysely } = plane.ctx.database;
  const stage: AgentStage = {
    ...{ plane, app, url },
    makeToken: async (serverName) =>
      (await createEnrollmentToken(plane.ctx, plane.asker('root'), { serverName })).token,
    async enroll(server) {
      const home = createAgentHome();
      homes.push(home);
      home.writePlaybook('run-script', PLAYBOOK);
      home.writeAllow('version: 1\nallow:\n  run-script: "*"\n');
      const enrolled = await home.run(['enroll', '--token', await stage.makeToken(server)], url);
      if (enrolled.code !== 0) throw new Error(enrolled.stderr);
      return home;
    },
    request: (server) => requestAction(plane.ctx, plane.asker('ana'), { server, playbook: 'run-script', params: {} }),
    settle: (id) =>
      poll('the action to end', async () => {
        const action = await getAction(plane.ctx, plane.asker('root'), id);
        return ['pending', 'approved', 'executing'].includes(action.status) ? null : action;
      }),
    run: async (server) => stage.settle((await stage.request(server)).id),
    async serverId(server) {
      return (await kysely.selectFrom('servers').select('id').where('name', '=', server).executeTakeFirstOrThrow()).id;
    },
    async audited(event) {
      const rows = await kysely
        .selectFrom('audit_events')
        .select('body')
        .where('event', '=', event)
        .orderBy('seq')
        .execute();
      return rows.map(({ body }) => (JSON.parse(body) as { data: Record<string, unknown> }).data);
    },
    async stop() {
      for (const home of homes) await home.remove();
      await app.close();
      await plane.stop();
    },
  };
  return stage;
}

/** From now on the control plane is one that was started with this key. */
export function signWith({ plane }: AgentStage, { publicKey, privateKey }: SigningKey): void {
  plane.ctx.signer = { kid: publicKey.kid, privateKey, publicJwk: publicKey };
}

export function readEnrolment(home: AgentHome): StoredEnrolment {
  return JSON.parse(readFileSync(join(home.agentDir, 'enrolment.json'), 'utf8')) as StoredEnrolment;
}
