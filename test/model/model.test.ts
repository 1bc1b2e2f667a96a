import { expect, test } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { beginRun, keepRun } from '../support/kept-results.ts';
import { runWorlds } from './run-worlds.ts';

/*
 * `MODEL_RUNS=N [MODEL_STEPS=30] [MODEL_SEED=S] node bin/medic test test/model`: the same at length. Its counts are then
 * added to those of earlier runs.
 */
const RESULTS = join(import.meta.dirname, '..', '..', 'bench', 'results', 'model.json');
const RUN_TIMEOUT_MS = 30_000; // some ten times what it takes
const { MODEL_RUNS, MODEL_STEPS, MODEL_SEED } = process.env;
const runs = Number(MODEL_RUNS ?? 10);
const steps = Number(MODEL_STEPS ?? 30);
const seed = Number(MODEL_SEED ?? randomInt(2 ** 31));

test(
  `${runs} runs of ${steps} random steps leave nothing behind that the checker objects to (MODEL_SEED=${seed})`,
  async () => {
    const run = beginRun(seed);
    const { counts, findings } = await runWorlds({ seed, runs, steps }, (sum) => {
      if (MODEL_RUNS === undefined) return;
      process.stderr.write(`seed ${seed}: ${JSON.stringify(sum.counts)}\n`);
      keepRun(RESULTS, { ...run, counts: { ...sum.counts }, findings: sum.findings });
    });
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({ runs, steps: runs * steps });
    expect(counts.starts).toBeGreaterThanOrEqual(2 * runs); // each begins with a repair on both servers
  },
  RUN_TIMEOUT_MS * runs,
);
