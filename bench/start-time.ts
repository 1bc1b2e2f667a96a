import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../sandbox/postgres.ts';
import { startTemporal } from '../sandbox/temporal.ts';
import { startMedic } from '../test/support/start-process.ts';

/*
 * A repeated `npm start`, from the command to "ready", beside the bare starts of what it is made of, in one run:
 * `node bench/start-time.ts`. The first start, which makes a database, is not counted.
 */
const LIMIT_MS = 8_000;

const folder = mkdtempSync(join(tmpdir(), 'medic-bench-'));
try {
  const node = measure(() => spawnSync(process.execPath, ['-e', '0']));
  const postgresDir = join(folder, 'postgres');
  await (await startPostgres({ dataDir: postgresDir })).stop();
  const postgres = await measureStart(() => startPostgres({ dataDir: postgresDir }));
  const dbFile = join(folder, 'temporal', 'temporal.db');
  await (await startTemporal({ dbFile })).stop();
  const temporal = await measureStart(() => startTemporal({ dbFile }));
  const dataDir = join(folder, 'medic');
  await (await startMedic({ dataDir })).stop();
  const startedAt = performance.now();
  const medic = await startMedic({ dataDir });
  const ms = performance.now() - startedAt;
  const parts = /Ready after .*/.exec(medic.printed())?.[0] ?? '';
  await medic.stop();
  const bare = node + Math.max(postgres, temporal); // they start side by side
  console.log(`bare starts: node ${show(node)}, PostgreSQL ${show(postgres)}, Temporal ${show(temporal)}`);
  console.log(
    `npm start, repeated: ${show(ms)} = ${(ms / bare).toFixed(1)} × the bare parts, ${(ms / LIMIT_MS).toFixed(2)} of the limit of 8 s`,
  );
  console.log(`its parts: ${parts}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

async function measureStart(start: () => Promise<{ stop(): Promise<void> }>): Promise<number> {
  const startedAt = performance.now();
  const part = await start();
  const ms = performance.now() - startedAt;
  await part.stop();
  return ms;
}

function show(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
