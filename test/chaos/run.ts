import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CrashPoint } from '../../domain/durable-step.ts';
import { DURABLE_STEPS } from '../../domain/durable-step.ts';
import { startPostgres } from '../../sandbox/postgres.ts';
import { readOptions } from '../../sandbox/read-options.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { createDice } from '../support/seeded.ts';
import { WORKER_NAMESPACES } from '../support/stack.ts';
import { killAtEachPoint } from './crash-lanes.ts';
import type { CrashStage } from './crash-stage.ts';
import { both, openCrashStage } from './crash-stage.ts';
import { planAgentKills, planRound, runRound } from './kill-rounds.ts';
import { judgeInTheEnd } from './run-record.ts';

/*
 * `npm run chaos -- --minutes N [--seed S]`: the crash points, random kills and agent kills of `npm test` at length, on
 * a PostgreSQL and a Temporal of its own. The seed is printed first, and repeats what is asked and what is killed when.
 * Its counts are added to those of earlier runs after each turn. SIGTERM ends it early, after the round that is on. Ends
 * with 1 where anything was lost, doubled or told wrongly.
 */
const RESULTS = join(import.meta.dirname, '..', '..', 'bench', 'results', 'chaos.json');
const USAGE = 'npm run chaos -- --minutes N [--seed S]';
const ROUNDS_A_TURN = 12; // then all is judged, and the next turn has a fresh database
const AGENT_ROUNDS_A_TURN = 6;

interface Counts {
  turns: number;
  rounds: number;
  actions: number;
  crash_points: number;
  kills_at_crash_points: number;
  agent_kills: number;
  agent_reboots: number;
  findings: number;
}

interface Run {
  seed: number;
  commit: string;
  date: string;
  minutes: number;
  counts: Counts;
  findings: string[];
}

const options = readOptions(USAGE, { minutes: { type: 'string' }, seed: { type: 'string' } });
const seed = Number(options.seed ?? randomInt(2 ** 31));
const minutes = Number(options.minutes ?? 10);
if (!Number.isSafeInteger(seed) || !(minutes > 0)) throw new Error(USAGE);
console.log(`seed ${String(seed)}, ${String(minutes)} minutes`);

const run: Run = {
  seed,
  commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim(),
  date: new Date().toISOString(),
  minutes,
  counts: {
    turns: 0,
    rounds: 0,
    actions: 0,
    crash_points: DURABLE_STEPS.flatMap(both).length,
    kills_at_crash_points: 0,
    agent_kills: 0,
    agent_reboots: 0,
    findings: 0,
  },
  findings: [],
};
const dice = createDice(seed);
let endsAt = performance.now() + minutes * 60_000;
process.once('SIGTERM', () => {
  endsAt = 0; // what is under way is carried on and judged, and nothing more is begun
});
try {
  await withServers(async () => {
    while (performance.now() < endsAt) await takeTurn();
  });
} catch (error) {
  noteFinding('around the turns', error);
}
keepResults(run);
for (const finding of run.findings) console.error(`FINDING ${finding}`);
console.log(JSON.stringify(run.counts));
process.exitCode = run.findings.length === 0 ? 0 : 1;

async function withServers(work: () => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'medic-chaos-postgres-'));
  const postgres = await startPostgres({ dataDir, isEphemeral: true });
  const temporal = await startTemporal({ moreNamespaces: WORKER_NAMESPACES });
  process.env['MEDIC_TEST_POSTGRES_URL'] = postgres.adminUrl;
  process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
  try {
    await work();
  } finally {
    await temporal.stop();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** A turn that cannot go on is a finding of its own, and what was done in it counts all the same. */
async function takeTurn(): Promise<void> {
  try {
    const stage = await openCrashStage();
    try {
      await playOn(stage);
    } finally {
      run.counts.kills_at_crash_points += stage.killed.size;
      run.counts.actions += stage.accepted.length;
      await stage.stop();
    }
  } catch (error) {
    noteFinding(`turn ${String(run.counts.turns + 1)}`, error);
  }
  run.counts.turns += 1;
  keepResults(run);
  console.log(`turn ${String(run.counts.turns)}: ${JSON.stringify(run.counts)}`);
}

/** Crash points first, then random kills over the same servers; then all of it is judged. */
async function playOn(stage: CrashStage): Promise<void> {
  const { counts } = run;
  await killAtEachPoint(stage);
  note(DURABLE_STEPS.flatMap(both).flatMap((point) => (stage.killed.has(point) ? [] : [missOf(stage, point)])));
  for (let round = 0; round < ROUNDS_A_TURN && performance.now() < endsAt; round++) {
    await runRound(stage, planRound(dice));
    counts.rounds += 1;
  }
  for (let round = 0; round < AGENT_ROUNDS_A_TURN && performance.now() < endsAt; round++) {
    const plan = planAgentKills(dice);
    await runRound(stage, plan);
    counts.agent_kills += plan.kills.length;
    counts.agent_reboots += plan.kills.filter(({ bootId }) => bootId !== undefined).length;
  }
  note((await judgeInTheEnd(stage.stack, { ...stage, slackMs: 120_000 })).breaches);
}

function missOf(stage: CrashStage, point: CrashPoint): string {
  return stage.missed.get(point) ?? `nobody was killed at ${point}`;
}

function noteFinding(where: string, error: unknown): void {
  note([`${where}: ${error instanceof Error ? error.message : String(error)}`]);
}

function note(findings: readonly string[]): void {
  run.findings.push(...findings);
  run.counts.findings = run.findings.length;
}

/** The sum of all runs, and each run with its seed; after each turn, so that a run that is cut short counts. */
function keepResults(latest: Run): void {
  const runs = [...readResults().filter(({ date }) => date !== latest.date), latest];
  const total = runs.reduce<Record<string, number>>((sums, { counts }) => {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + Number(count);
    return sums;
  }, {});
  delete total['crash_points']; // how many there are, not how many were
  mkdirSync(join(RESULTS, '..'), { recursive: true });
  writeFileSync(`${RESULTS}.tmp`, `${JSON.stringify({ total, runs }, null, 2)}\n`);
  renameSync(`${RESULTS}.tmp`, RESULTS);
}

function readResults(): Run[] {
  if (!existsSync(RESULTS)) return []; // the first run
  return (JSON.parse(readFileSync(RESULTS, 'utf8')) as { runs: Run[] }).runs;
}
