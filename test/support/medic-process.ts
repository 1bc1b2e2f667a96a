import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { locateNode } from '../../bin/platform.mjs';
import { cleanEnvironment } from './start-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface MedicProcess {
  pid: number;
  printed(): string;
  /** Settles with the exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals | null>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/**
 * `medic <args>` as a process of its own, with nothing of this test's environment but what is given. It runs on the Node
 * of the dependencies, as any other would start a second process, and a signal would only reach the first.
 */
export function startMedicProcess(args: readonly string[], env: Readonly<Record<string, string>>): MedicProcess {
  const child = spawn(locateNode(ROOT), [join(ROOT, 'bin', 'medic'), ...args], {
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return watch(child);
}

export function watch(child: ChildProcess): MedicProcess {
  let text = '';
  const read = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-20_000);
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? code);
    });
  });
  return {
    pid: child.pid ?? 0,
    printed: () => text,
    ended,
    kill: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}
