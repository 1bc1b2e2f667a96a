import { expect, test } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { runModel } from './run-model.ts';

const RUNS = 10;
const STEPS = 30;
const seed = Number(process.env['MODEL_SEED'] ?? randomInt(2 ** 31));

test(`${RUNS} runs of ${STEPS} random steps leave nothing behind that the checker objects to (MODEL_SEED=${seed})`, async () => {
  const outcome = await runModel({ seed, runs: RUNS, steps: STEPS });
  expect(outcome).toMatchObject({ runs: RUNS, steps: RUNS * STEPS });
  expect(outcome.starts).toBeGreaterThan(RUNS); // they were runs in which something ran
}, 300_000);
