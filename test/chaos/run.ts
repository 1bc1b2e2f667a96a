import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CrashPoint } from '../../domain/durable-step.ts';
import { DURABLE_STEPS } from '../../domain/durable-step.ts';
import { startPostgres } from '../../sandbox/postgres.ts';
import { readOptions } from '../../sandbox/read-options.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import type { KeptRun } from '../support/kept-results.ts';
import { beginRun, keepRun } from '../support/kept-results.ts';
import { createDice } from '../support/seeded.ts';
import { WORKER_NAMESPACES } from '../support/stack.ts';
import { killAtEachPoint } from './crash-walks.ts';
import type { CrashStage } from './crash-stage.ts';
import { both, openCrashStage } from './crash-stage.ts';
import { planAgentKills, planRound, runRound } from './kill-rounds.ts';
import { judgeInTheEnd } from './run-record.ts';

/*
 * `npm run chaos -- --minutes N [--seed S] [--only points|kills|agents]`: the crash points, random kills and agent kills
 * of `npm test` at length, on a PostgreSQL and a Temporal of its own. The seed is printed first, and with the same
 * `--only` repeats what is asked and what is killed when. Its counts are added to those of earlier runs after each turn. SIGTERM ends it early, after the round that is on. Ends
 * with 1 where anything was lost, doubled or told wrongly.
 */
const RESULTS = join(import.meta.dirname, '..', '..', 'bench', 'results', 'chaos.json');
const USAGE = 'npm run chaos -- --minutes N [--seed S] [--only points|kills|agents]';
const KINDS = ['points', 'kills', 'agents'];
const POINTS = DURABLE_STEPS.flatMap(both);
const ROUNDS_A_TURN = 6; // then all is judged, and the next turn has a fresh database
const AGENT_ROUNDS_A_TURN = 2;
const FLEET = Array.from({ length: 16 }, (_, index) => `web-${String(11 + index)}`); // whose agents are killed at once

interface Counts extends Record<string, number> {
  turns: number;
  rounds: number;
  actions: number;
  kills_at_crash_points: number;
  agent_kills: number;
  agent_reboots: number;
  findings: number;
}

interface Run extends KeptRun {
  minutes: number;
  /** What was killed, of KINDS. */
  kinds: readonly string[];
  /** How many there are. */
  crash_points: number;
  counts: Counts;
  findings: string[];
}

const options = readOptions(USAGE, { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } });
const kinds = options.only === undefined ? KINDS : KINDS.filter((kind) => kind === options.only);
const seed = Number(options.seed ?? randomInt(2 ** 31));
const minutes = Number(options.minutes ?? 10);
if (!Number.isSafeInteger(seed) || !(minutes > 0) || kinds.length === 0) throw new Error(USAGE);
console.log(`seed ${String(seed)}, ${String(minutes)} minutes`);

const run: Run = {
  ...beginRun(seed),
  minutes,
  kinds,
  crash_points: POINTS.length,
  counts: {
    turns: 0,
    rounds: 0,
    actions: 0,
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
keepRun(RESULTS, run);
for (const finding of run.findings) console.error(`FINDING ${finding}`);
console.log(JSON.stringify(run.counts));
process.exitCode = run.findings.length === 0 ? 0 : 1;

async function withServers(work: () => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'medic-chaos-postgres-'));
  const postgres = await startPostgres({ dataDir, isEphemeral: true });
  try {
    const temporal = await startTemporal({ moreNamespaces: WORKER_NAMESPACES });
    process.env['MEDIC_TEST_POSTGRES_URL'] = postgres.adminUrl;
    process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
    try {
      await work();
    } finally {
      await temporal.stop();
    }
  } finally {
    await postgres.stop();
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
  keepRun(RESULTS, run);
  console.log(`turn ${String(run.counts.turns)}: ${JSON.stringify(run.counts)}`);
}

/** Crash points first, then random kills over the same servers; then all of it is judged. */
async function playOn(stage: CrashStage): Promise<void> {
  if (kinds.includes('points')) await killAtEachPoint(stage);
  const missed = kinds.includes('points') ? POINTS.filter((point) => !stage.killed.has(point)) : [];
  note(missed.map((point) => missOf(stage, point)));
  if (kinds.includes('kills')) await killAtRandom(stage);
  if (kinds.includes('agents')) await killAgents(stage);
  note((await judgeInTheEnd(stage.stack, { ...stage, slackMs: 120_000 })).breaches);
}

async function killAtRandom(stage: CrashStage): Promise<void> {
  for (let round = 0; round < ROUNDS_A_TURN && performance.now() < endsAt; round++) {
    await runRound(stage, planRound(dice));
    run.counts.rounds += 1;
  }
}

async function killAgents(stage: CrashStage): Promise<void> {
  if (performance.now() > endsAt) return;
  for (const server of FLEET) {
    await stage.stack.enroll(server, 'api 2');
    await stage.stack.restart(`agent ${server}`);
  }
  for (let round = 0; round < AGENT_ROUNDS_A_TURN && performance.now() < endsAt; round++) {
    const plan = planAgentKills(dice, FLEET);
    await runRound(stage, plan);
    run.counts.agent_kills += plan.kills.length;
    run.counts.agent_reboots += plan.kills.filter(({ bootId }) => bootId !== undefined).length;
  }
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
