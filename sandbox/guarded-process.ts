import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export interface GuardedProcess {
  pid: number;
  stdout: Readable;
  stderr: Readable;
  /** Settles when the process has ended, never rejects. */
  ended: Promise<ProcessEnd>;
  hasEnded(): boolean;
  /** Sends `firstSignal`, after `graceMs` `lastSignal`, and waits for the end. Safe to call again. */
  stop(graceMs?: number): Promise<ProcessEnd>;
}

export interface ProcessEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export interface GuardedProcessOptions {
  file: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Asks the program to end. */
  firstSignal?: GuardSignal;
  /** Ends it when it did not. */
  lastSignal?: GuardSignal;
}

type GuardSignal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGKILL';

const GRACE_MS = 10_000; // what PostgreSQL needs for a fast shutdown on a slow disk, with room

/**
 * The shell becomes the program (same pid), after it left a watcher behind that belongs to nobody. The watcher reads a
 * pipe of ours: a line means the program ended while we lived; end of file means that we died, by whatever signal.
 */
const GUARD_SCRIPT = `
first=$1 last=$2; shift 2
( (
  trap '' INT TERM HUP QUIT
  if read -r line <&3; then exit 0; fi
  kill -s "$first" $$ 2>/dev/null || exit 0
  tries=0
  while kill -0 $$ 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 50 ]; then kill -s "$last" $$; exit 0; fi
    sleep 0.1
  done
) </dev/null >/dev/null 2>&1 & ) 
exec 3<&-
exec "$@"
`;

/**
 * Starts a program that does not outlive this process, even when this process is killed with SIGKILL. It runs in a
 * session of its own, so Ctrl-C in the terminal reaches only us and we stop our parts in order.
 * Throws where the program cannot be started at all.
 */
export async function startGuarded(options: GuardedProcessOptions): Promise<GuardedProcess> {
  const firstSignal = options.firstSignal ?? 'SIGTERM';
  const lastSignal = options.lastSignal ?? 'SIGKILL';
  const child = spawn(
    '/bin/sh',
    ['-c', GUARD_SCRIPT, 'guard', firstSignal.slice(3), lastSignal.slice(3), options.file, ...options.args],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    },
  );
  await waitForSpawn(child);
  return superviseChild(child, firstSignal, lastSignal);
}

function superviseChild(child: ChildProcess, firstSignal: GuardSignal, lastSignal: GuardSignal): GuardedProcess {
  const watcher = child.stdio[3] as Writable;
  watcher.on('error', () => undefined); // the watcher may be gone first
  let end: ProcessEnd | undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      end = { exitCode, signal };
      watcher.end('ended\n');
      resolve(end);
    });
  });
  return {
    pid: child.pid as number,
    stdout: child.stdout as Readable,
    stderr: child.stderr as Readable,
    ended,
    hasEnded: () => end !== undefined,
    async stop(graceMs = GRACE_MS) {
      if (end !== undefined) return end;
      child.kill(firstSignal);
      const timer = setTimeout(() => child.kill(lastSignal), graceMs);
      const result = await ended;
      clearTimeout(timer);
      return result;
    },
  };
}

function waitForSpawn(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}
