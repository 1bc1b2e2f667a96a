import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from './start-process.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'medic');

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `medic <args>` to its end; only a person's shell, and what is given, in its environment. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>>, stdin = ''): Promise<Run> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: tmpdir(), env: { ...cleanEnvironment(), ...env } });
  const run: Run = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (run.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (run.stderr += chunk.toString()));
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ ...run, code });
    });
  });
}
