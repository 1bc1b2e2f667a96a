import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { eventually } from './eventually.ts';

export interface ExternalParts {
  databaseUrl: string;
  temporalAddress: string;
  temporalNamespace: string;
  drop(): Promise<void>;
}

const RETENTION = { seconds: 86_400 as never }; // Temporal’s shortest; its type wants a Long, its wire a number

/** A database and a Temporal namespace of this control plane's own, on the servers that this test run brought up. */
export async function createExternalParts(): Promise<ExternalParts> {
  const adminUrl = required('MEDIC_TEST_POSTGRES_URL');
  const temporalAddress = required('MEDIC_TEST_TEMPORAL_ADDRESS');
  const name = `independent_${randomBytes(6).toString('hex')}`;
  await runSql(adminUrl, `CREATE DATABASE ${name}`);
  await createNamespace(temporalAddress, name);
  const databaseUrl = new URL(adminUrl);
  databaseUrl.pathname = `/${name}`;
  return {
    databaseUrl: databaseUrl.href,
    temporalAddress,
    temporalNamespace: name,
    drop: () => runSql(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function createNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const service = connection.workflowService;
    await service.registerNamespace({ namespace, workflowExecutionRetentionPeriod: RETENTION });
    // Known to the frontend at once, to the other parts only after their next look.
    await eventually(`the namespace ${namespace}`, async () => {
      try {
        await service.listOpenWorkflowExecutions({ namespace, maximumPageSize: 1 });
        return true;
      } catch {
        return false;
      }
    });
  } finally {
    await connection.close();
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this through Jest, whose global setup sets it.`);
  return value;
}
