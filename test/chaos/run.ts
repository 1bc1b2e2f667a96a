import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DURABLE_STEPS } from '../../domain/durable-step.ts';
import { startPostgres } from '../../sandbox/postgres.ts';
import { readOptions } from '../../sandbox/read-options.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { WORKER_NAMESPACES } from '../support/stack.ts';
import { killAtEachPoint } from './crash-lanes.ts';
import { both, openCrashStage } from './crash-stage.ts';
import { createRandom, planAgentKills, planRound, runRound } from './kill-rounds.ts';
import { judgeInTheEnd } from './run-record.ts';

/*
 * `npm run chaos -- --minutes N [--seed S]`: the crash points, random kills and agent kills of `npm test` at length, on
 * a PostgreSQL and a Temporal of its own. The seed is printed first, and repeats what is asked and what is killed when.
 * Its counts are added to those of earlier runs. Ends with 1 where anything was lost, doubled or told wrongly.
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
const random = createRandom(seed);
const endsAt = performance.now() + minutes * 60_000;
await withServers(async () => {
  while (performance.now() < endsAt) await takeTurn();
});
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

/** Crash points first, then random kills over the same servers; a turn that cannot go on is a finding of its own. */
async function takeTurn(): Promise<void> {
  const stage = await openCrashStage();
  try {
    await killAtEachPoint(stage);
    run.counts.kills_at_crash_points += stage.killed.size;
    run.findings.push(...stage.missed.values());
    for (let round = 0; round < ROUNDS_A_TURN && performance.now() < endsAt; round++) {
      await runRound(stage, planRound(random));
      run.counts.rounds += 1;
    }
    for (let round = 0; round < AGENT_ROUNDS_A_TURN && performance.now() < endsAt; round++) {
      const plan = planAgentKills(random);
      await runRound(stage, plan);
      run.counts.agent_kills += plan.kills.length;
      run.counts.agent_reboots += plan.kills.filter(({ bootId }) => bootId !== undefined).length;
    }
    const { breaches } = await judgeInTheEnd(stage.stack, { accepted: stage.accepted, slackMs: 300_000 });
    run.findings.push(...breaches);
  } catch (error) {
    run.findings.push(
      `turn ${String(run.counts.turns + 1)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    run.counts.turns += 1;
    run.counts.actions += stage.accepted.length;
    run.counts.findings = run.findings.length;
    console.log(`turn ${String(run.counts.turns)}: ${JSON.stringify(run.counts)}`);
    await stage.stop();
  }
}

/** The sum of all runs, and each run with its seed. */
function keepResults(latest: Run): void {
  const earlier = readResults();
  const runs = [...earlier, latest];
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
  try {
    return (JSON.parse(readFileSync(RESULTS, 'utf8')) as { runs: Run[] }).runs;
  } catch {
    return []; // the first run
  }
}
