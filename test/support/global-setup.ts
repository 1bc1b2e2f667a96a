import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../sandbox/postgres.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { WORKER_NAMESPACES, keepForTeardown, needsStack } from './stack.ts';

interface JestGlobalConfig {
  testPathPatterns?: { patterns: readonly string[] };
}

/**
 * Once per Jest run: a PostgreSQL and a Temporal server of the run's own, unless only unit tests run. Their addresses
 * stand in MEDIC_TEST_POSTGRES_URL (superuser) and MEDIC_TEST_TEMPORAL_ADDRESS (a namespace for each Jest worker, see stack.ts).
 */
async function setUp(config: JestGlobalConfig): Promise<void> {
  if (!needsStack(config.testPathPatterns?.patterns ?? [])) return;
  const dataDir = mkdtempSync(join(tmpdir(), 'medic-test-postgres-'));
  const postgres = await startPostgres({ dataDir, isEphemeral: true });
  keepForTeardown(postgres);
  const temporal = await startTemporal({ moreNamespaces: WORKER_NAMESPACES });
  keepForTeardown(temporal);
  process.env['MEDIC_TEST_POSTGRES_URL'] = postgres.adminUrl;
  process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
}

export { setUp as default };
