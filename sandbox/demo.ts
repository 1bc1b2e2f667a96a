import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutConfiguredServices } from './clean-environment.ts';
import { claimDataDir } from './data-dir.ts';
import { DEMO_STEPS } from './demo-steps.ts';
import { explainFailure } from './explain-failure.ts';
import { createProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { readOptions } from './read-options.ts';
import { startSandbox } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { createShutdown } from './shutdown.ts';

const USAGE = 'npm run demo [-- --json]: plays the main job on a sandbox of its own, proves it, and stops everything.';

interface StepReport {
  step: string;
  ok: boolean;
  ms: number;
  [fact: string]: unknown;
}

/**
 * `npm run demo`: the main job played through on a sandbox of its own and proved, then everything is stopped. Exit
 * code 0 only if all of it happened. What is configured is left alone, always.
 */
async function main(): Promise<void> {
  const isJson = readOptions(USAGE, { json: { type: 'boolean' } }).json ?? false;
  const progress = createProgress({ isJson });
  const shutdown = createShutdown({ say: progress.say });
  const report = createReporter(isJson, progress);
  const ignored = withoutConfiguredServices(process.env).sentence;
  if (ignored !== null) progress.say(ignored);
  const folder = mkdtempSync(join(tmpdir(), 'medic-demo-'));
  shutdown.add('the temporary folder', () => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  const isDone = await play({ folder, progress, shutdown, report });
  await report('teardown', async () => {
    await shutdown.stopAll();
    return {};
  });
  process.exitCode = isDone ? 0 : 1;
}

type Reporter = <T extends object>(step: string, work: () => Promise<T>) => Promise<T | null>;

async function play(input: {
  folder: string;
  progress: Progress;
  shutdown: ReturnType<typeof createShutdown>;
  report: Reporter;
}): Promise<boolean> {
  const { progress, shutdown, report } = input;
  let sandbox: Sandbox | undefined;
  const setup = await report('setup', async () => {
    const dataDir = claimDataDir(join(input.folder, 'data'));
    shutdown.add('the data folder', () => Promise.resolve(dataDir.release()));
    const ports = { controlPlane: 0, slack: 0, temporal: 0 };
    sandbox = await startSandbox({ dataDir, progress, shutdown, ports, configured: {}, isEphemeral: true });
    return { parts: sandbox.parts };
  });
  if (setup === null || sandbox === undefined) return false;
  const stage = sandbox;
  for (const [step, perform] of DEMO_STEPS) {
    if (shutdown.isStopping()) return false;
    if ((await report(step, () => perform(stage))) === null) return false;
  }
  return true;
}

function createReporter(isJson: boolean, progress: Progress): Reporter {
  const tell = (line: StepReport): void => {
    if (isJson) process.stdout.write(`${JSON.stringify(line)}\n`);
    else progress.say(`${line.ok ? '✓' : '✗'} ${line.step.padEnd(12)} ${(line.ms / 1000).toFixed(1)} s  ${told(line)}`);
  };
  return async (step, work) => {
    const startedAt = performance.now();
    const ms = (): number => Math.round(performance.now() - startedAt);
    try {
      const facts = await work();
      tell({ step, ok: true, ms: ms(), ...facts });
      return facts;
    } catch (error) {
      tell({ step, ok: false, ms: ms(), error: explainFailure(error) });
      return null;
    }
  };
}

function told(line: StepReport): string {
  const text = line['told'] ?? line['error'] ?? '';
  return String(text);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${explainFailure(error)}\n`);
  process.exitCode = 2;
});
