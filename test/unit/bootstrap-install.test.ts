import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isRunning } from '../../sandbox/process-table.ts';

/** Stands where npm would on the PATH: it says that it started, waits to be let on, then leaves what npm leaves. */
const NPM = `#!/bin/sh
echo "$$" >> started
while [ ! -e go ]; do sleep 0.05; done
[ -e say ] && { cat say >&2; exit 1; }
mkdir -p node_modules/node-linux-${process.arch}/bin
: > node_modules/node-linux-${process.arch}/bin/node
echo "$@" > node_modules/arguments
`;
const INSTALL = pathToFileURL(join(process.cwd(), 'bin', 'install.mjs')).href;
const SCRIPT = `
  const { ensureInstalled } = await import(${JSON.stringify(INSTALL)});
  try {
    await ensureInstalled({ root: process.cwd(), needsDev: true, say: console.log });
  } catch (error) {
    console.log(error.message);
    process.exitCode = 1;
  }
`;

let root: string;
let children: ChildProcess[];

beforeEach(() => {
  children = [];
  root = mkdtempSync(join(tmpdir(), 'medic-install-'));
  mkdirSync(join(root, 'path'));
  writeFileSync(join(root, 'path', 'npm'), NPM);
  chmodSync(join(root, 'path', 'npm'), 0o755);
  for (const name of ['package.json', 'package-lock.json']) writeFileSync(join(root, name), '{"packages":{}}');
});

afterEach(async () => {
  letNpmOn();
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
  rmSync(root, { recursive: true, force: true });
});

function start(): { child: ChildProcess; output: () => string; exited: Promise<unknown> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    cwd: root,
    env: { PATH: `${join(root, 'path')}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let text = '';
  child.stdout?.on('data', (chunk) => (text += String(chunk)));
  return { child, output: () => text, exited: once(child, 'close') };
}

function letNpmOn(): void {
  writeFileSync(join(root, 'go'), '');
}

function countStarts(): number {
  return existsSync(join(root, 'started')) ? readFileSync(join(root, 'started'), 'utf8').trim().split('\n').length : 0;
}

async function untilStarted(times: number): Promise<void> {
  const watcher = watch(root);
  try {
    while (countStarts() < times) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

describe('installing the dependencies', () => {
  test('happens once when two commands start at once', async () => {
    const first = start();
    await untilStarted(1);
    const second = start();
    await once(second.child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    expect(second.output()).toMatch(`Process ${first.child.pid} is installing the dependencies`);
    letNpmOn();
    await Promise.all([first.exited, second.exited]);
    expect([first.child.exitCode, second.child.exitCode]).toEqual([0, 0]);
    expect(countStarts()).toBe(1);
    expect(existsSync(join(root, '.medic', 'install.lock'))).toBe(false);
  });

  test('begins anew after a kill, with the npm that was left behind ended', async () => {
    const killed = start();
    await untilStarted(1);
    const orphan = Number(readFileSync(join(root, 'started'), 'utf8'));
    killed.child.kill('SIGKILL');
    await killed.exited;
    const next = start();
    await untilStarted(2);
    expect(isRunning(orphan)).toBe(false);
    letNpmOn();
    await next.exited;
    expect(next.child.exitCode).toBe(0);
  });

  test('is skipped the next time', async () => {
    letNpmOn();
    await start().exited;
    const second = start();
    await second.exited;
    expect([countStarts(), second.output()]).toEqual([1, '']);
  });

  test('asks npm for the lock, without scripts of packages', async () => {
    letNpmOn();
    await start().exited;
    expect(readFileSync(join(root, 'node_modules', 'arguments'), 'utf8')).toMatch(/^ci .*--ignore-scripts/);
  });

  test('fails with a sentence and leaves nothing that vouches for the folder', async () => {
    writeFileSync(join(root, 'say'), 'npm error code ENOTFOUND');
    letNpmOn();
    const failing = start();
    await failing.exited;
    expect(failing.child.exitCode).toBe(1);
    expect(failing.output()).toMatch(/Connect to the network/);
    expect(existsSync(join(root, 'node_modules', '.medic-stamp'))).toBe(false);
  });
});
