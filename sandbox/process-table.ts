import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The arguments a process was started with, or undefined where it is gone or not ours to see. */
export function readArguments(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return text === '' ? undefined : text.replace(/\0$/, '').split('\0');
  } catch {
    return undefined;
  }
}

/** When a process was started, in ticks since boot: with its pid this names one process for good, until the next boot. */
export function readStartTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    return state === 'Z' || state === 'X' ? undefined : fields[19]; // a zombie runs no more
  } catch {
    return undefined;
  }
}

export function isRunning(pid: number): boolean {
  return readStartTicks(pid) !== undefined;
}

/** Every process, except this one, whose arguments satisfy the condition. */
export function findProcesses(matches: (args: readonly string[]) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid) && matches(readArguments(pid) ?? []));
}

/** Every process, except this one, that carries this exact `NAME=value` in the environment it was started with. */
export function findProcessesWithVariable(assignment: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isRunning(Number(name)))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(assignment);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Signals the process in turn, waiting after each signal, until it is gone. False where it outlived all of them. */
export async function endProcess(
  pid: number,
  signals: readonly NodeJS.Signals[],
  waitMs = 5_000, // a fast shutdown of PostgreSQL writes a checkpoint first
): Promise<boolean> {
  const identity = readStartTicks(pid);
  for (const signal of signals) {
    if (identity === undefined || readStartTicks(pid) !== identity) return true;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      return true;
    }
    const deadline = performance.now() + waitMs;
    while (performance.now() < deadline) {
      if (readStartTicks(pid) !== identity) return true;
      await delay(20);
    }
  }
  return readStartTicks(pid) !== identity;
}
