import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { clearLogs } from '../../agent/built-in/clear-logs.ts';

let folder: string;
let logs: string;
let precious: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'medic-logs-')));
  logs = join(folder, 'log');
  mkdirSync(join(logs, 'app'), { recursive: true });
  mkdirSync(join(folder, 'outside'));
  precious = join(folder, 'outside', 'precious.log');
  writeFileSync(precious, 'precious');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function clear(path: string): Promise<{ isDone: boolean; text: string }> {
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const stop = new AbortController().signal;
  const isDone = await clearLogs({ path, within: [logs], stop, report: note, complain: note });
  return { isDone, text: lines.join('\n') };
}

describe('clear-logs', () => {
  test('empties active logs, removes rotated ones, leaves the rest, and tells the bytes', async () => {
    writeFileSync(join(logs, 'a.log'), '12345');
    writeFileSync(join(logs, 'app', 'b.log.1'), '123');
    writeFileSync(join(logs, 'app', 'backup.tar.gz'), '123');
    const { isDone, text } = await clear(logs);
    expect(isDone).toBe(true);
    expect(text).toContain('clear-logs: 8 bytes freed in 2 files');
    expect(readFileSync(join(logs, 'a.log'), 'utf8')).toBe('');
    expect(existsSync(join(logs, 'app', 'b.log.1'))).toBe(false);
    expect(existsSync(join(logs, 'app', 'backup.tar.gz'))).toBe(true);
  });

  test('takes one log by its path', async () => {
    writeFileSync(join(logs, 'a.log'), '12345');
    writeFileSync(join(logs, 'b.log'), '12345');
    expect((await clear(join(logs, 'a.log'))).text).toContain('5 bytes freed in 1 files');
    expect(readFileSync(join(logs, 'b.log'), 'utf8')).toBe('12345');
  });

  test('touches nothing through links, hard links or ..', async () => {
    symlinkSync(precious, join(logs, 'link.log'));
    symlinkSync(join(folder, 'outside'), join(logs, 'way'));
    linkSync(precious, join(logs, 'hard.log'));
    expect((await clear(logs)).isDone).toBe(true);
    for (const path of [join(logs, 'way'), `${logs}/../outside`, join(folder, 'outside'), join(logs, 'link.log')]) {
      expect((await clear(path)).isDone).toBe(false);
    }
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  test('tells what lies too deep, and leaves it alone', async () => {
    const deep = join(logs, ...'abcdefghij');
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'x.log'), '12345');
    const { isDone, text } = await clear(logs);
    expect(isDone).toBe(false);
    expect(text).toContain('it lies too deep');
    expect(readFileSync(join(deep, 'x.log'), 'utf8')).toBe('12345');
  });

  test('stays inside while another thread turns directories into links and back', async () => {
    writeFileSync(join(logs, 'app', 'own.log'), '12345');
    const paths = { app: join(logs, 'app'), aside: join(folder, 'aside'), outside: join(folder, 'outside') };
    const rounds = await raceAgainst(
      `fs.renameSync(at.app, at.aside);
       fs.symlinkSync(at.outside, at.app);
       fs.unlinkSync(at.app);
       fs.renameSync(at.aside, at.app);`,
      paths,
      async () => {
        await clear(logs);
        await clear(paths.app);
      },
    );
    expect(rounds).toBeGreaterThan(100);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    await clear(logs);
    expect(readFileSync(join(paths.app, 'own.log'), 'utf8')).toBe('');
  });

  test.each([
    ['symbolic', 'fs.symlinkSync(at.precious, at.log); fs.unlinkSync(at.log);'],
    ['hard', 'fs.linkSync(at.precious, at.log); fs.unlinkSync(at.log);'],
  ])('stays inside while a %s link stands for a log again and again', async (_kind, change) => {
    const log = join(logs, 'x.log');
    const rounds = await raceAgainst(change, { precious, log }, () => clear(log));
    expect(rounds).toBeGreaterThan(100);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });
});

const SWEEPS = 2_000;

/** Sweeps while a thread of its own repeats `change` at full speed; answers how often it did. */
async function raceAgainst(change: string, at: Record<string, string>, sweep: () => Promise<unknown>): Promise<number> {
  const counters = new Int32Array(new SharedArrayBuffer(8)); // rounds, and whether to stop
  const code = `const fs = require('node:fs');
    const { at, counters } = require('node:worker_threads').workerData;
    while (Atomics.load(counters, 1) === 0) { ${change} Atomics.add(counters, 0, 1); }`;
  const rival = new Worker(code, { eval: true, workerData: { at, counters } });
  const ended = once(rival, 'exit');
  await once(rival, 'online');
  try {
    for (let i = 0; i < SWEEPS; i++) await sweep();
  } finally {
    Atomics.store(counters, 1, 1);
    expect(await ended).toEqual([0]);
  }
  return Atomics.load(counters, 0);
}
