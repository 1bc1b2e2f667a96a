import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { stringify } from 'yaml';
import { takePort } from '../../sandbox/ports.ts';
import { isTemporalReady } from '../../sandbox/temporal-probe.ts';
import type { Part, Parts } from './parts.ts';
import type { ServerBinaries } from './server-binaries.ts';

export interface TemporalServer {
  address: string;
  namespace: string;
}

interface SqlAccess {
  host: string;
  port: string;
  user: string;
  password: string;
}

const NAMESPACE = 'default';
const DATABASES = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;
const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
const READY_MS = 60_000; // the four services find each other within seconds, on a busy machine within tens of them
const RETENTION_S = 86_400; // the least that the server takes
const ALREADY_EXISTS = 6; // gRPC
const PORT_RANGE = [16_000, 32_000] as const; // Temporal keeps its membership ports in a smallint

/** Temporal as it runs in production: its four services on PostgreSQL, the schema by its own tool, no dev server. */
export async function startTemporalServer(input: {
  parts: Parts;
  binaries: ServerBinaries;
  /** PostgreSQL, as someone who may create databases. */
  adminUrl: string;
  folder: string;
}): Promise<TemporalServer> {
  const { parts, binaries, adminUrl, folder } = input;
  const sql = readAccess(adminUrl);
  for (const [kind, database] of Object.entries(DATABASES)) {
    await createDatabase(adminUrl, database);
    await setUpSchema({ parts, binaries, sql, database, kind });
  }
  const ports = await takePorts();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'dynamic.yaml'), '{}\n');
  writeFileSync(join(folder, 'production.yaml'), stringify(describeServer({ sql, ports, folder })), { mode: 0o600 });
  const server = await parts.start('the Temporal server', {
    file: binaries.server,
    args: ['--root', folder, '--config', '.', '--env', 'production', '--allow-no-auth', 'start'],
    cwd: folder,
  });
  const address = `127.0.0.1:${ports.frontend.grpc}`;
  await registerNamespace({ server, address });
  return { address, namespace: NAMESPACE };
}

function readAccess(adminUrl: string): SqlAccess {
  const { hostname, port, username, password } = new URL(adminUrl);
  return { host: hostname, port, user: username, password: decodeURIComponent(password) };
}

async function createDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
}

async function setUpSchema(input: {
  parts: Parts;
  binaries: ServerBinaries;
  sql: SqlAccess;
  database: string;
  kind: string;
}): Promise<void> {
  const { parts, binaries, sql, database, kind } = input;
  const access = ['--plugin', 'postgres12', '--ep', sql.host, '-p', sql.port, '-u', sql.user, '--db', database];
  const env = { ...process.env, SQL_PASSWORD: sql.password };
  for (const args of [
    ['setup-schema', '-v', '0.0'],
    ['update-schema', '-d', join(binaries.schemaDir, kind, 'versioned')],
  ]) {
    await parts.run(`${args[0]} of ${database}`, { file: binaries.sql, args: [...access, ...args], env });
  }
}

type Ports = Record<(typeof SERVICES)[number], { grpc: number; membership: number }>;

async function takePorts(): Promise<Ports> {
  const taken = new Set<number>();
  const take = async (): Promise<number> => {
    const { port } = await takePort(randomInt(...PORT_RANGE), taken);
    taken.add(port);
    return port;
  };
  const entries = [];
  for (const name of SERVICES) entries.push([name, { grpc: await take(), membership: await take() }] as const);
  return Object.fromEntries(entries) as Ports;
}

/** As the module's config/development-postgres12.yaml, on loopback only, without metrics, archival and profiling. */
function describeServer({ sql, ports, folder }: { sql: SqlAccess; ports: Ports; folder: string }): object {
  const store = (databaseName: string, maxConns: number): object => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${sql.host}:${sql.port}`,
      connectProtocol: 'tcp',
      user: sql.user,
      password: sql.password,
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  const services = SERVICES.map((name) => {
    const { grpc, membership } = ports[name];
    return [name, { rpc: { grpcPort: grpc, membershipPort: membership, bindOnLocalHost: true } }] as const;
  });
  const rpcAddress = `127.0.0.1:${ports.frontend.grpc}`;
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: store(DATABASES.temporal, 20), visibility: store(DATABASES.visibility, 4) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(services),
    publicClient: { hostPort: rpcAddress },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: join(folder, 'dynamic.yaml'), pollInterval: '60s' },
  };
}

/** Resolves when the namespace can be used: the services learn of it some seconds after it was registered. */
async function registerNamespace({ server, address }: { server: Part; address: string }): Promise<void> {
  const connection = Connection.lazy({ address });
  const deadline = performance.now() + READY_MS;
  let isRegistered = false;
  try {
    for (;;) {
      isRegistered ||= await tryToRegister(connection);
      if (isRegistered && (await isTemporalReady(address, NAMESPACE))) return;
      if (server.process.hasEnded() || performance.now() > deadline) {
        throw new Error(`the Temporal server did not come up: ${explainEnd(server.printed())}`);
      }
      await delay(200);
    }
  } finally {
    await connection.close();
  }
}

async function tryToRegister(connection: Connection): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.registerNamespace({
        namespace: NAMESPACE,
        workflowExecutionRetentionPeriod: { seconds: RETENTION_S as never },
      }),
    );
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === ALREADY_EXISTS;
  }
}

/** Its log is JSON with stack traces; the error of its last words is what helps. */
function explainEnd(printed: string): string {
  const errors = [...printed.matchAll(/"msg":("(?:[^"\\]|\\.)*"),"error":("(?:[^"\\]|\\.)*")/g)].at(-1);
  return errors === undefined ? printed.slice(-500) : `${errors[1]}: ${errors[2]}`;
}
