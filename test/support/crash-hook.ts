import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

/**
 * Loaded into a process of Medic from outside (`node --import`), never by Medic. The process dies by SIGKILL when it
 * passes the crash point that TEST_CRASH_FILE names; the file moves to `<file>.fired` first, so a later process of the
 * same name lives on. With TEST_BOOT_ID an agent believes that the machine was started anew. With TEST_CLOCK_FILE its
 * clock is off by as many milliseconds as stand in that file, once it is there, and steps when they change. Nobody
 * stands back for others: on cores that other tests keep busy a worker would never have its turn.
 */
const { TEST_CRASH_FILE: armed, TEST_BOOT_ID: bootId, TEST_CLOCK_FILE: clockFile } = process.env;
const HOOK = Symbol.for('medic.crash_point');

function readIfThere(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (armed !== undefined) {
  (globalThis as { [HOOK]?: (point: string) => void })[HOOK] = (point) => {
    if (readIfThere(armed) !== point) return;
    fs.renameSync(armed, `${armed}.fired`);
    process.kill(process.pid, 'SIGKILL');
  };
}

Object.assign(os, { setPriority: () => undefined });

if (bootId !== undefined) {
  const { readFile } = fsPromises;
  const fake = async (path: unknown, options: unknown): Promise<unknown> => {
    if (path === '/proc/sys/kernel/random/boot_id') return `${bootId}\n`;
    return (readFile as (path: unknown, options: unknown) => Promise<unknown>)(path, options);
  };
  Object.assign(fsPromises, { readFile: fake });
}

syncBuiltinESMExports();

if (clockFile !== undefined) {
  const RealDate = Date;
  const nowMs = (): number => RealDate.now() + Number(readIfThere(clockFile) ?? 0);
  class SteppingDate extends RealDate {
    constructor(...given: [] | [value: number | string | Date]) {
      if (given.length === 0) super(nowMs());
      else super(...given);
    }

    static override now(): number {
      return nowMs();
    }
  }
  globalThis.Date = SteppingDate as DateConstructor;
}
