import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { OUTBOX_CHANNEL, WAKE_CHANNEL } from '../../db/announce.ts';
import { openDatabase } from '../../db/orm.ts';
import { DEFAULT_LIMITS } from '../../domain/limits.ts';
import { BUILT_IN_RULES } from '../../domain/policy.ts';
import type { Asker, Principal } from '../../domain/principal.ts';
import { createCatalog } from '../../playbook/catalog.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { ControlPlaneConfig } from '../../services/config/config-store.ts';
import type { Context } from '../../services/context.ts';
import { createTemporalGateway } from '../../services/temporal-gateway.ts';
import { createWakes } from '../../services/wakes.ts';
import { routeTemporalLogs } from '../../worker/runtime.ts';
import { startWorker } from '../../worker/worker.ts';
import type { TestDatabase } from './database.ts';
import { createTestDatabase } from './database.ts';

const PLAYBOOKS = fileURLToPath(new URL('../../playbooks/', import.meta.url));

export interface TestControlPlane {
  ctx: Context;
  /** The configuration in force; a test may change it. */
  config: { -readonly [K in keyof ControlPlaneConfig]: ControlPlaneConfig[K] };
  asker(name: string): Asker;
  taskQueue: string;
  startWorker(): Promise<{ stop(): Promise<void> }>;
  stop(): Promise<void>;
}

/** Another process of the control plane that one process has made: with its database, and its workflows. */
export interface Joined {
  url: string;
  taskQueue: string;
}

/** Services on a real PostgreSQL and Temporal, without a process around them. */
export async function createTestControlPlane(joined?: Joined): Promise<TestControlPlane> {
  const address = process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] ?? '';
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  routeTemporalLogs(log);
  const test = joined === undefined ? await createTestDatabase() : await joinDatabase(joined.url);
  const connection = Connection.lazy({ address });
  const native = await NativeConnection.connect({ address });
  const taskQueue = joined?.taskQueue ?? `medic-test-${randomUUID()}`;
  const key = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
  const config = await createConfig();
  const onError = (): void => undefined;
  const ctx: Context = {
    database: test.database,
    temporal: createTemporalGateway({
      client: new Client({ connection, namespace: 'default' }),
      connection,
      namespace: 'default',
      taskQueue,
    }),
    config: { current: () => config, reload: () => Promise.resolve({ isReloaded: true }) },
    signer: { kid: key.publicKey.kid, privateKey: key.privateKey, publicJwk: key.publicKey },
    wakes: createWakes({ url: test.url, channels: [OUTBOX_CHANNEL, WAKE_CHANNEL], onError }),
    slackDirectory: null,
    secretsKey: Buffer.alloc(32, 7),
    log,
  };
  const workers: { stop(): Promise<void> }[] = [];
  return {
    ctx,
    config,
    taskQueue,
    asker: (name) => {
      const principal = config.principals.get(name);
      if (principal === undefined) throw new Error(`no principal ${name}`);
      return { principal, roles: principal.roles, via: 'api' };
    },
    startWorker: async () => {
      const worker = await startWorker({
        database: test.database,
        connection: native,
        namespace: 'default',
        taskQueue,
      });
      workers.push(worker);
      return worker;
    },
    stop: async () => {
      for (const worker of workers) await worker.stop();
      await ctx.wakes.stop();
      await connection.close();
      await native.close();
      await test.drop();
    },
  };
}

async function joinDatabase(url: string): Promise<TestDatabase> {
  const database = await openDatabase({ url, onError: () => undefined });
  return { url, database, drop: () => database.close() };
}

/** A test asks faster, and for more, than anybody. */
const MANY = 1_000_000;
const WIDE_LIMITS = {
  ...DEFAULT_LIMITS,
  waiting: MANY,
  waitingPerServer: MANY,
  requestsPerMinute: MANY,
  heartbeatsPerMinute: MANY,
  executing: MANY,
  holdBacks: [],
};

async function createConfig(): Promise<ControlPlaneConfig> {
  const names = (await readdir(PLAYBOOKS)).filter((name) => name.endsWith('.yaml'));
  const files = await Promise.all(
    names.map(async (file) => ({ file, text: await readFile(`${PLAYBOOKS}${file}`, 'utf8') })),
  );
  const people: Principal[] = [
    { name: 'ana', roles: ['operator'], slackUserId: 'U0ANA', groups: [] },
    { name: 'bob', roles: ['operator', 'approver'], slackUserId: 'U0BOB', groups: ['sre'] },
    { name: 'cid', roles: ['approver'], slackUserId: 'U0CID', groups: ['sre'] },
    { name: 'root', roles: ['admin'], slackUserId: null, groups: [] },
  ];
  return {
    principals: new Map(people.map((person) => [person.name, person])),
    groups: new Map([['sre', { slackUsergroup: null, members: ['bob', 'cid'] }]]),
    rules: BUILT_IN_RULES,
    approvalTimeoutMs: 60_000,
    startWithinMs: 60_000,
    limits: WIDE_LIMITS,
    playbooks: createCatalog(files).playbooks,
  };
}
