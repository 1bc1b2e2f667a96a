import { finished } from 'node:stream/promises';
import { startGuarded } from '../../sandbox/guarded-process.ts';
import type { GuardedProcess, GuardedProcessOptions } from '../../sandbox/guarded-process.ts';
import type { Shutdown } from '../../sandbox/shutdown.ts';

export interface Part {
  process: GuardedProcess;
  /** The last of what it printed, both streams. */
  printed(): string;
  /** All of its standard output. */
  output(): string;
  onLine(listen: (line: string) => void): void;
  /** Settles when both streams have been read to their end. */
  drained: Promise<unknown>;
}

/** The processes of one run. None outlives it: each is guarded, and each that still runs is stopped at the end. */
export interface Parts {
  start(name: string, options: GuardedProcessOptions): Promise<Part>;
  /** Runs it to its end and gives its standard output; throws with what it printed where it does not end with 0. */
  run(name: string, options: GuardedProcessOptions): Promise<string>;
  /** What is to be undone at the end; done at once where the end has come already. */
  keep(name: string, undo: () => Promise<unknown>): Promise<void>;
}

const KEPT_CHARS = 20_000; // enough to show why something failed

export function createParts(shutdown: Shutdown): Parts {
  const keep = async (name: string, undo: () => Promise<unknown>): Promise<void> => {
    if (!shutdown.isStopping()) {
      shutdown.add(name, undo);
      return;
    }
    await undo();
    throw new Error('stopped');
  };
  const start = async (name: string, options: GuardedProcessOptions): Promise<Part> => {
    const part = watch(await startGuarded(options));
    await keep(name, () => part.process.stop());
    return part;
  };
  const run = async (name: string, options: GuardedProcessOptions): Promise<string> => {
    const part = await start(name, options);
    const { exitCode, signal } = await part.process.ended;
    await part.drained;
    if (exitCode === 0) return part.output();
    throw new Error(`${name} ended with ${signal ?? String(exitCode)}: ${part.printed().trim()}`);
  };
  return { start, run, keep };
}

function watch(guarded: GuardedProcess): Part {
  let text = '';
  const output: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  const read = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-KEPT_CHARS);
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    for (const listen of listeners) listen(last);
  };
  guarded.stdout.on('data', (chunk: Buffer) => void output.push(chunk.toString()));
  guarded.stdout.on('data', read);
  guarded.stderr.on('data', read);
  return {
    process: guarded,
    printed: () => text,
    output: () => output.join(''),
    onLine: (listen) => void listeners.push(listen),
    drained: Promise.all([finished(guarded.stdout), finished(guarded.stderr)]).catch(() => undefined),
  };
}
