import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { passCrashPoint } from '../domain/durable-step.ts';
import type { RenderedStep } from '../playbook/render.ts';
import { clearLogs } from './built-in/clear-logs.ts';
import { createCapture } from './capture.ts';
import type { Capture, CapturedStream } from './capture.ts';
import { readErrorCode } from './failure.ts';
import { COMMAND_ID_VARIABLE, killCommand, readStartTicks } from './process-tree.ts';
import type { ProcessGroup } from './process-tree.ts';

const DRAIN_MS = 1_000; // a daemon may hold the pipe for ever
const DEFAULT_GRACE_MS = 5_000;
const CANNOT_RUN = 126; // what a shell answers
const NOT_FOUND = 127;

export interface ExecutionRequest {
  commandId: string;
  steps: readonly RenderedStep[];
  verify: readonly RenderedStep[];
  timeoutMs: number;
  graceMs?: number;
  maskPatterns?: readonly RegExp[];
  /** Aborted to cancel. */
  cancel: AbortSignal;
  /** Awaited for each process right after its start; `step` counts from 1, verification included. */
  onStarted(started: { pid: number | null; step: number }): Promise<void>;
}

export interface Execution {
  status: 'completed' | 'failed' | 'timed_out' | 'cancelled';
  /** Of the first step that failed, else 0; null where it died by a signal or was stopped. */
  exitCode: number | null;
  signal: string | null;
  code?: 'cancel_unconfirmed' | 'kill_unconfirmed';
  stdout: CapturedStream;
  stderr: CapturedStream;
}

interface StepEnd {
  exitCode: number | null;
  signal: string | null;
}
interface SpawnFailure {
  cause: unknown;
}
interface Run {
  request: ExecutionRequest;
  stop: AbortSignal;
  stdout: Capture;
  stderr: Capture;
  group?: ProcessGroup;
}

/**
 * Runs the steps, then the verification, one at a time, without a shell, each in a process group of its own. Time
 * is monotonic and counts for all of it. When it is stopped, everything that carries the command's id is killed;
 * what a step left running as a daemon survives a normal end. Never throws for what a command does.
 */
export async function execute(request: ExecutionRequest): Promise<Execution> {
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    timeout.abort();
  }, request.timeoutMs);
  const run: Run = {
    request,
    stop: AbortSignal.any([timeout.signal, request.cancel]),
    stdout: createCapture(request.maskPatterns),
    stderr: createCapture(request.maskPatterns),
  };
  try {
    const end = await runAll(run);
    return await conclude(run, end, request.cancel.aborted ? 'cancelled' : 'timed_out');
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined: it was stopped before its end. */
async function runAll(run: Run): Promise<StepEnd | undefined> {
  const { steps, verify } = run.request;
  for (const [index, step] of [...steps, ...verify].entries()) {
    const end = await runUntilItHolds(run, step, index + 1);
    if (end === undefined || end.exitCode !== 0) return end;
  }
  return { exitCode: 0, signal: null };
}

async function runUntilItHolds(run: Run, step: RenderedStep, number: number): Promise<StepEnd | undefined> {
  const { wait } = step;
  const deadline = performance.now() + (wait?.forMs ?? 0);
  for (;;) {
    if (run.stop.aborted) return undefined;
    const end = step.kind === 'run' ? await runProcess(run, step.argv, number) : await runBuiltIn(run, step, number);
    if (end === undefined || run.stop.aborted) return undefined;
    if (end.exitCode === 0 || wait === undefined || performance.now() + wait.everyMs > deadline) return end;
    await sleep(wait.everyMs, undefined, { signal: run.stop }).catch(() => undefined);
  }
}

async function runBuiltIn(
  run: Run,
  step: Extract<RenderedStep, { kind: 'uses' }>,
  number: number,
): Promise<StepEnd | undefined> {
  await run.request.onStarted({ pid: null, step: number });
  const isDone = await clearLogs({
    path: step.with['path'] ?? '',
    within: step.within['path'] ?? [],
    stop: run.stop,
    report: run.stdout.note,
    complain: run.stderr.note,
  });
  return { exitCode: isDone ? 0 : 1, signal: null };
}

async function runProcess(run: Run, argv: readonly string[], step: number): Promise<StepEnd | undefined> {
  const [file, ...args] = argv;
  passCrashPoint('process.spawn:before');
  const child = spawn(file ?? '', args, {
    cwd: '/',
    env: childEnvironment(run.request.commandId),
    detached: true,
    shell: false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  passCrashPoint('process.spawn:after');
  const ended = waitForExit(child);
  child.stdout.on('data', run.stdout.write);
  child.stderr.on('data', run.stderr.write);
  const { pid } = child;
  if (pid === undefined) {
    const failure = await ended;
    return reportSpawnFailure(run, file ?? '', 'cause' in failure ? failure.cause : undefined);
  }
  await noteGroup(run, pid);
  await run.request.onStarted({ pid, step });
  const end = await Promise.race([ended, waitForAbort(run.stop)]);
  if (end === undefined) return undefined;
  await drain(child);
  if ('cause' in end) return reportSpawnFailure(run, file ?? '', end.cause);
  return end;
}

/** Of a leader that is gone already nothing is noted: what it left behind carries the command's id. */
async function noteGroup(run: Run, pid: number): Promise<void> {
  const startTicks = await readStartTicks(pid);
  if (startTicks === undefined) delete run.group;
  else run.group = { id: pid, startTicks };
}

function reportSpawnFailure(run: Run, file: string, cause: unknown): StepEnd {
  const code = readErrorCode(cause) ?? 'unknown';
  const why = code === 'ENOENT' ? 'no such file' : code;
  run.stderr.note(`medic: ${file} could not be started: ${why}`);
  return { exitCode: code === 'ENOENT' ? NOT_FOUND : CANNOT_RUN, signal: null };
}

async function conclude(run: Run, end: StepEnd | undefined, stopped: 'cancelled' | 'timed_out'): Promise<Execution> {
  const { commandId, graceMs = DEFAULT_GRACE_MS } = run.request;
  if (end !== undefined) {
    const status = end.exitCode === 0 ? 'completed' : 'failed';
    return { status, ...end, stdout: run.stdout.finish(), stderr: run.stderr.finish() };
  }
  const isProven = await killCommand({
    commandId,
    graceMs,
    ...(run.group === undefined ? {} : { group: run.group }),
  });
  const unconfirmed = stopped === 'cancelled' ? 'cancel_unconfirmed' : 'kill_unconfirmed';
  return {
    status: stopped,
    exitCode: null,
    signal: null,
    ...(isProven ? {} : { code: unconfirmed }),
    stdout: run.stdout.finish(),
    stderr: run.stderr.finish(),
  };
}

function waitForExit(child: ChildProcess): Promise<StepEnd | SpawnFailure> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
    child.once('error', (cause) => {
      resolve({ cause });
    });
  });
}

function waitForAbort(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve(undefined);
        },
        { once: true },
      );
  });
}

/** `close` comes when the last holder of the pipes is gone; a daemon never lets it come. */
async function drain(child: ChildProcess): Promise<void> {
  const closed = new Promise<void>((resolve) =>
    child.once('close', () => {
      resolve();
    }),
  );
  const patience = new AbortController();
  await Promise.race([closed, sleep(DRAIN_MS, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function childEnvironment(commandId: string): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    HOME: readHome(),
    [COMMAND_ID_VARIABLE]: commandId,
  };
}

function readHome(): string {
  try {
    return userInfo().homedir || '/';
  } catch {
    return '/'; // a user without an entry in passwd
  }
}
