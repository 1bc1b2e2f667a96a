import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const MEDIC = fileURLToPath(new URL('../../bin/medic', import.meta.url));

export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningMedic {
  child: ChildProcess;
  /** Everything it printed so far, both streams. */
  output(): string;
  /** Resolves when the process has ended. */
  ended: Promise<Finished>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL to the process and all it started. */
  killAll(): void;
}

/** `./bin/medic …` as a process group of its own, with this environment and the shell's PATH and HOME only. */
export function startMedic(args: readonly string[], env: Record<string, string>, input?: string): RunningMedic {
  const child = spawn(MEDIC, args, { env: { ...shellEnvironment(), ...env }, detached: true, stdio: 'pipe' });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  child.stdin.on('error', () => undefined); // A process that ends without reading closes the pipe.
  child.stdin.end(input ?? '');
  return {
    child,
    output: () => printed.stdout + printed.stderr,
    ended: once(child, 'close').then(() => ({ exitCode: child.exitCode, ...printed })),
    signal: (signal) => child.kill(signal),
    killAll: () => killGroup(child),
  };
}

/** Runs one subcommand to its end. */
export function runMedic(args: readonly string[], env: Record<string, string>, input?: string): Promise<Finished> {
  return startMedic(args, env, input).ended;
}

export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Nothing of MEDIC_*, SLACK_* or DATABASE_URL that the run itself may carry. */
function shellEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'XDG_CACHE_HOME', 'LANG', 'TMPDIR'];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
