import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { readOptions } from '../../sandbox/read-options.ts';
import { createShutdown } from '../../sandbox/shutdown.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { withRun, writeResults } from '../support/kept-results.ts';
import type { CellStage } from './cell-stage.ts';
import { openCellStage } from './cell-stage.ts';
import type { FaultCell } from './fault-cells.ts';
import { tell } from './crash-stage.ts';
import { FAULT_CELLS } from './fault-cells.ts';
import type { CellOutcome } from './run-cell.ts';
import { describeOutcome, MOST_RATIO, runCell } from './run-cell.ts';
import { judgeInTheEnd } from './run-record.ts';

/*
 * `npm run chaos:cells -- [--outage SECONDS] [--cell SLUG]`: every part goes away once, for ten minutes where nothing
 * else is said; all of them side by side, each in a Medic of its own with a PostgreSQL of its own, so that it takes as
 * long as one. Prints a line for each, and adds the run to those in bench/results. Nothing in it is random. Ends with 1
 * where anything was lost, doubled or told wrongly, or started late.
 */
const RESULTS = join(import.meta.dirname, '..', '..', 'bench', 'results', 'fault-cells.json');
const USAGE = 'npm run chaos:cells -- [--outage SECONDS] [--cell SLUG]';
const TIMES = 3; // asked and clicked in one outage: at its beginning, in the middle and late
const SLACK_MS = 300_000; // what is owed after ten minutes, one message a second

interface Run {
  commit: string;
  date: string;
  outage_s: number;
  cells: { cell: string; first_start_ms: number | null; ratio: number | null; findings: string[] }[];
}

const options = readOptions(USAGE, { outage: { type: 'string' }, cell: { type: 'string' } });
const outageS = Number(options.outage ?? 600);
const cells = FAULT_CELLS.filter(({ slug }) => options.cell === undefined || slug === options.cell);
if (!(outageS > 0) || cells.length === 0) throw new Error(USAGE);

const temporal = await startTemporal({ moreNamespaces: cells.map(({ slug }) => slug) });
process.env['MEDIC_TEST_POSTGRES_URL'] = ''; // each has its own
process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
const run: Run = {
  commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim(),
  date: new Date().toISOString(),
  outage_s: outageS,
  cells: [],
};
const shutdown = createShutdown({ say: (line) => void process.stderr.write(`${line}\n`) });
void shutdown.finished.then(() => process.exit(130));
shutdown.add('Temporal', () => temporal.stop());
const trying: { end: Promise<void> }[] = [];
try {
  for (const cell of cells) trying.push(await begin(cell)); // one after another: opening all at once is slow for each
  await Promise.all(trying.map(({ end }) => end));
} finally {
  writeResults(RESULTS, { runs: withRun(RESULTS, run) });
  await shutdown.stopAll();
}
const isFine = run.cells.every(({ ratio, findings }) => ratio !== null && ratio <= MOST_RATIO && findings.length === 0);
console.log(`${String(run.cells.length)} cells, ${isFine ? 'each as promised' : 'NOT each as promised'}`);
process.exitCode = isFine ? 0 : 1;

/** Returns once its Medic stands; what comes of it is noted later. A cell that cannot go on is a finding of its own. */
async function begin(cell: FaultCell): Promise<{ end: Promise<void> }> {
  const stage = await open(cell).catch((error: unknown) => asError(error));
  if (stage instanceof Error) {
    note(cell, stage);
    return { end: Promise.resolve() };
  }
  const end = tryCell(cell, stage).then(async (outcome) => {
    note(cell, outcome);
    await stage.stop();
  });
  return { end };
}

async function open({ slug, servers, parts }: FaultCell): Promise<CellStage> {
  const address = { address: temporal.address, namespace: slug };
  const stage = await openCellStage({ parts, servers, names: [slug], temporal: address });
  shutdown.add(slug, () => stage.stop());
  return stage;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function tryCell(cell: FaultCell, stage: CellStage): Promise<CellOutcome | Error> {
  try {
    const outcome = await runCell(stage, cell, { outageMs: outageS * 1000, times: TIMES });
    const { breaches } = await judgeInTheEnd(stage.stack, { ...stage, slackMs: SLACK_MS });
    return { ...outcome, breaches: [...outcome.breaches, ...breaches] };
  } catch (error) {
    for (const server of cell.servers) tell(stage.stack.printed(server === 'web-1' ? 'agent' : `agent ${server}`));
    return asError(error);
  }
}

function note({ name }: FaultCell, outcome: CellOutcome | Error): void {
  if (outcome instanceof Error) {
    console.log(`${name}: FINDING ${outcome.message}`);
    run.cells.push({ cell: name, first_start_ms: null, ratio: null, findings: [outcome.message] });
    return;
  }
  console.log(describeOutcome(outcome));
  const { firstStartMs, ratio, breaches } = outcome;
  run.cells.push({ cell: name, first_start_ms: firstStartMs, ratio: Number(ratio.toFixed(4)), findings: breaches });
}
