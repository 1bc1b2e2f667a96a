import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { findProcesses } from '../../sandbox/process-table.ts';

export interface StarterProcess<Told> {
  child: ChildProcess;
  /** It runs, and starts its part. */
  began: Promise<unknown>;
  /** What it said when the part was ready; rejects where it ended before. */
  ready: Promise<Told>;
  end(signal: NodeJS.Signals): Promise<{ exitCode: number | null; stderr: string }>;
}

const STARTER = join(import.meta.dirname, 'stack-starter.ts');

/** A process of its own that starts one part, to be killed at will. */
export function runStarter<Told>(part: 'postgres' | 'temporal' | 'trial', folder: string): StarterProcess<Told> {
  const child = spawn(process.execPath, [STARTER, part, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const began = once(lines, 'line');
  const ready = began.then(async () => {
    const first = await Promise.race([once(lines, 'line'), closed.then(() => undefined)]);
    if (first === undefined) throw new Error(`the starter ended: ${stderr}`);
    return JSON.parse(String(first[0])) as Told;
  });
  ready.catch(() => undefined); // a test that kills it early does not ask
  const end = async (signal: NodeJS.Signals): Promise<{ exitCode: number | null; stderr: string }> => {
    child.kill(signal);
    await closed;
    return { exitCode: child.exitCode, stderr };
  };
  return { child, began, ready, end };
}

/** Waits until no process names this folder in its arguments; those that still do are the answer. */
export async function waitUntilNoneUses(folder: string, timeoutMs = 15_000): Promise<number[]> {
  const deadline = performance.now() + timeoutMs;
  const find = (): number[] => findProcesses((args) => args.some((arg) => arg.includes(folder)));
  while (find().length > 0 && performance.now() < deadline) await delay(50);
  return find();
}
