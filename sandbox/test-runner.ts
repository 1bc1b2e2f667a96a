import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { locateCache } from './cache-dir.ts';
import { withoutConfiguredServices } from './clean-environment.ts';
import { endProcess, findProcessesWithVariable, readArguments } from './process-table.ts';
import { createProgress } from './progress.ts';
import { findTemporalCli } from './temporal-cli.ts';
import { describeCounts, readTestCounts } from './test-report.ts';

const ROOT = dirname(import.meta.dirname);

const ENDING_TRIES = 30; // three seconds: what an interrupted Jest leaves is ended by its own guards in that time

/**
 * `npm test`: every test, or those that the arguments (Jest's) select. Children get a home folder of their own, and
 * nothing that is configured for real. Exit code 0 only if all passed and no process was left behind.
 */
async function main(args: readonly string[]): Promise<number> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'medic-test-')));
  const home = join(folder, 'home');
  const temp = join(folder, 'tmp');
  for (const name of [home, temp]) mkdirSync(name);
  try {
    const { env, sentence } = withoutConfiguredServices(process.env);
    if (sentence !== null) console.log(sentence);
    await findTemporalCli({ progress: createProgress(), env });
    // The cache stays the person's: what was fetched once is not fetched again for a test.
    const cacheHome = dirname(locateCache());
    const report = join(folder, 'report.json');
    const status = await runJest(args, report, { ...env, HOME: home, TMPDIR: temp, XDG_CACHE_HOME: cacheHome });
    const left = await endLeftovers(home);
    return tell(readTestCounts(report), status, left);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jest in this terminal, with our signals handed on; it stops its servers in its teardown. */
function runJest(args: readonly string[], report: string, env: NodeJS.ProcessEnv): Promise<number> {
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const own = ['--json', `--outputFile=${report}`, '--maxWorkers=2', `--cacheDirectory=${join(locateCache(), 'jest')}`];
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...own, ...args],
    { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] }, // with --json its standard output is the report
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve(signal === null ? (exitCode ?? 1) : 130));
  });
}

/** Whatever was started with this run's home folder and still runs is a mistake of a test: ended, and told. */
async function endLeftovers(home: string): Promise<string[]> {
  const left: string[] = [];
  const find = (): number[] => findProcessesWithVariable(`HOME=${home}`);
  for (let tries = 0; tries < ENDING_TRIES && find().length > 0; tries++) await delay(100);
  for (const pid of find()) {
    left.push(`${pid} ${(readArguments(pid) ?? []).join(' ').slice(0, 150)}`);
    await endProcess(pid, ['SIGTERM', 'SIGKILL'], 2_000);
  }
  return left;
}

function tell(counts: ReturnType<typeof readTestCounts>, status: number, left: readonly string[]): number {
  for (const line of left) console.log(`Left running by a test, ended now: ${line}`);
  const known = counts ?? { passed: 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  const isGood = status === 0 && left.length === 0 && known.failed === 0 && known.passed > 0;
  // A run that failed without a failing test still shows a failure in its last line.
  const failed = Math.max(known.failed, isGood || known.passed === 0 ? known.failed : 1);
  console.log(describeCounts({ ...known, failed }));
  return isGood ? 0 : status || 1;
}

process.exitCode = await main(process.argv.slice(2));
