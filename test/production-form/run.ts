import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../sandbox/postgres.ts';
import { createProgress } from '../../sandbox/progress.ts';
import type { Progress } from '../../sandbox/progress.ts';
import { createShutdown } from '../../sandbox/shutdown.ts';
import type { Shutdown } from '../../sandbox/shutdown.ts';
import { CHECKS } from './checks.ts';
import type { Check, Stage } from './checks.ts';
import { createDeployment } from './medic-deployment.ts';
import { createParts } from './parts.ts';
import { ensureServerBinaries } from './server-binaries.ts';
import { startTemporalServer } from './temporal-server.ts';

/**
 * `npm run test:production-form`: PostgreSQL, a production Temporal server, control plane and agent as separate
 * processes, without containers, and the main job played through on them. Exit code 0 only if every check passed.
 */
async function main(): Promise<void> {
  const progress = createProgress();
  const shutdown = createShutdown({ say: progress.say });
  const played = play(progress, shutdown).catch((error: unknown) => {
    if (!shutdown.isStopping()) progress.say(`✗ ${error instanceof Error ? error.message : String(error)}`);
    return false;
  });
  const outcome = await Promise.race([played, shutdown.finished]);
  await shutdown.stopAll();
  process.exit(outcome === true ? 0 : 1); // polls of an interrupted check may still be under way
}

async function play(progress: Progress, shutdown: Shutdown): Promise<boolean> {
  const stage = await progress.during('Setting up', () => setUp(progress, shutdown));
  let failed = 0;
  for (const check of CHECKS) {
    const { isPassed, line } = await judge(check, stage);
    if (shutdown.isStopping()) return false;
    if (!isPassed) failed += 1;
    progress.say(line);
  }
  progress.say(`${CHECKS.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

async function judge({ name, run }: Check, stage: Stage): Promise<{ isPassed: boolean; line: string }> {
  const startedAt = performance.now();
  try {
    const fact = await run(stage);
    const seconds = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
    return { isPassed: true, line: `✓ ${name} (${typeof fact === 'string' ? `${fact}; ` : ''}${seconds})` };
  } catch (error) {
    return { isPassed: false, line: `✗ ${name}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function setUp(progress: Progress, shutdown: Shutdown): Promise<Stage> {
  const parts = createParts(shutdown);
  const binaries = await ensureServerBinaries({ parts, progress });
  const folder = mkdtempSync(join(tmpdir(), 'medic-production-'));
  await parts.keep('the temporary folder', () => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), isEphemeral: true });
  await parts.keep('PostgreSQL', () => postgres.stop());
  const temporal = await startTemporalServer({
    parts,
    binaries,
    adminUrl: postgres.adminUrl,
    folder: join(folder, 'temporal'),
  });
  const deployment = await createDeployment({
    parts,
    folder: join(folder, 'medic'),
    databaseUrl: await createMedicDatabase(postgres.adminUrl),
    temporal,
  });
  return { parts, temporal, deployment };
}

/** As an operator would: owned by a user who may do nothing else. */
async function createMedicDatabase(adminUrl: string): Promise<string> {
  const url = new URL(adminUrl);
  const password = randomBytes(16).toString('hex');
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`CREATE ROLE medic_owner LOGIN PASSWORD '${password}'`);
    await client.query('CREATE DATABASE medic_production OWNER medic_owner');
  } finally {
    await client.end();
  }
  return Object.assign(url, { username: 'medic_owner', password, pathname: '/medic_production' }).href;
}

await main();
