import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readStack } from '../support/stack.ts';
import type { CellStage } from './cell-stage.ts';
import { openCellStage } from './cell-stage.ts';
import { FAULT_CELLS } from './fault-cells.ts';
import type { CellOutcome } from './run-cell.ts';
import { describeOutcome, MOST_RATIO, runCell } from './run-cell.ts';
import { judgeInTheEnd } from './run-record.ts';

const OUTAGE_MS = 3_000; // `npm run chaos:cells` has ten minutes
const ALONE = FAULT_CELLS.filter(({ isForAll }) => isForAll);
const BESIDE = FAULT_CELLS.filter(({ isForAll }) => !isForAll);

let stage: CellStage;
const outcomes = new Map<string, Promise<CellOutcome>>();
beforeAll(async () => {
  const { temporalAddress: address, temporalNamespace: namespace } = readStack();
  stage = await openCellStage({
    parts: ['api', 'worker', 'worker 2', 'bot'],
    servers: [...new Set(FAULT_CELLS.flatMap(({ servers }) => servers))],
    names: FAULT_CELLS.map(({ slug }) => slug),
    temporal: { address, namespace },
  });
}, 180_000);
afterAll(() => stage.stop(), 60_000);

function expectFine(outcome: CellOutcome): void {
  process.stderr.write(`${describeOutcome(outcome)}\n`);
  expect(outcome.breaches).toEqual([]);
  expect(outcome.ratio).toBeLessThanOrEqual(MOST_RATIO);
}

test('no two of the twelve share a playbook, nor a server where they are tried side by side', () => {
  expect(new Set(FAULT_CELLS.map(({ slug }) => slug)).size).toBe(12);
  const servers = BESIDE.flatMap((cell) => cell.servers);
  expect(new Set(servers).size).toBe(servers.length);
});

describe('what was asked before, during and after completes, and was started once', () => {
  beforeAll(() => {
    for (const cell of BESIDE) {
      const outcome = runCell(stage, cell, { outageMs: OUTAGE_MS });
      outcome.catch(() => undefined); // told by its test
      outcomes.set(cell.slug, outcome);
    }
  });

  test.each(BESIDE)(
    'with $name',
    async ({ slug }) => {
      const outcome = await outcomes.get(slug);
      if (outcome === undefined) throw new Error(`${slug} was not tried`);
      expectFine(outcome);
    },
    180_000,
  );

  test.each(ALONE)(
    'with $name',
    async (cell) => {
      expectFine(await runCell(stage, cell, { outageMs: OUTAGE_MS }));
    },
    180_000,
  );
});

test('in the end record, audit, journals and Slack agree', async () => {
  await stage.passMinutes();
  const { breaches } = await judgeInTheEnd(stage.stack, { ...stage, slackMs: 120_000 });
  expect(breaches).toEqual([]);
}, 180_000);
