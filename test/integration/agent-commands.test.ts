import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandPayload, CommandResult } from '../../protocol/messages.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';

let home: AgentHome;
let plane: FakeControlPlane;
let digest: string;

beforeEach(async () => {
  home = createAgentHome();
  plane = await startFakeControlPlane();
  home.writeAllow('version: 1\nallow:\n  run-script: { word: [good] }\n');
  expect((await home.run(['enroll', '--token', 't'], plane.url)).stderr).toBe('');
});
afterEach(async () => {
  await home.remove();
  await plane.close();
});

const inHome = (name: string): string => join(home.folder, name);
const sign = (commandId: string, change: Partial<CommandPayload> = {}): Promise<string> =>
  plane.sign({ command_id: commandId, playbook_digest: digest, ...change });

async function ask(commandId: string, change: Partial<CommandPayload> = {}): Promise<CommandResult> {
  plane.handOut(await sign(commandId, change));
  return plane.result(commandId);
}

function hasStarted(commandId: string): Promise<unknown> {
  return plane.beat((beat) =>
    beat.running.some((entry) => entry.command_id === commandId && entry.started_at !== null),
  );
}

function isAlive(pid: number): boolean {
  const path = `/proc/${String(pid)}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, 'utf8'));
}

describe('a command', () => {
  test('is neither journalled nor refused while another runs, and runs later', async () => {
    digest = home.writeScript(`while [ ! -e ${inHome('go')} ]; do sleep 0.05; done`);
    home.start(plane.url);
    plane.handOut(await sign('c-first', { seq: 1 }));
    await hasStarted('c-first');
    const second = await sign('c-second', { seq: 2 });
    const after = await plane.push(second);
    expect(after.running.map((entry) => entry.command_id)).toEqual(['c-first']);
    expect(after.results).toEqual([]);
    expect(readFileSync(join(home.agentDir, 'journal.jsonl'), 'utf8')).not.toContain('c-second');
    writeFileSync(inHome('go'), '');
    expect(await plane.result('c-first')).toMatchObject({ status: 'completed' });
    plane.handOut(second);
    expect(await plane.result('c-second')).toMatchObject({ status: 'completed', exit_code: 0 });
  });

  test('that dies by a signal has no exit code', async () => {
    digest = home.writeScript('kill -USR1 $$');
    home.start(plane.url);
    expect(await ask('c-signal')).toMatchObject({ status: 'failed', exit_code: null, signal: 'SIGUSR1' });
  });

  test('whose program is not there fails with 127', async () => {
    digest = home.writeScript('exit 0');
    execFileSync('rm', [inHome('program')]);
    home.start(plane.url);
    const result = await ask('c-missing');
    expect(result).toMatchObject({ status: 'failed', exit_code: 127, started_at: null });
    expect(result.stderr).toContain('could not be started: no such file');
  });

  test('leaves its daemon alive at a normal end, though that holds its output', async () => {
    digest = home.writeScript(`sleep 300 & echo $! > ${inHome('pid')}; echo started`);
    home.start(plane.url);
    expect(await ask('c-daemon')).toMatchObject({ status: 'completed', stdout: 'started\n' });
    const pid = Number(readFileSync(inHome('pid'), 'utf8'));
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  test('is verified until it holds', async () => {
    const verify = `verify:\n  - run: [/usr/bin/test, -e, ${inHome('up')}]\n    wait: { for: 10s, every: 1s }\n`;
    digest = home.writeScript(`(sleep 1.2; touch ${inHome('up')}) &`, { verify });
    home.start(plane.url);
    expect(await ask('c-up')).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(existsSync(inHome('up'))).toBe(true);
  });

  test('fails with the exit code of a verification that never holds', async () => {
    const verify = `verify:\n  - run: [/usr/bin/test, -e, ${inHome('up')}]\n    wait: { for: 2s, every: 1s }\n`;
    digest = home.writeScript('exit 0', { verify });
    home.start(plane.url);
    expect(await ask('c-never')).toMatchObject({ status: 'failed', exit_code: 1 });
  });

  test('is cancelled only when it is dead, also where it ignores SIGTERM', async () => {
    digest = home.writeScript(`trap '' TERM; echo $$ > ${inHome('pid')}; while :; do sleep 1; done`);
    home.start(plane.url);
    plane.handOut(await sign('c-stubborn'));
    await hasStarted('c-stubborn');
    plane.cancel('c-stubborn');
    let wasAliveWhenTold = true;
    await plane.beat((beat) => {
      const isTold = (beat.results as CommandResult[]).length > 0;
      if (isTold) wasAliveWhenTold = isAlive(Number(readFileSync(inHome('pid'), 'utf8')));
      return isTold;
    });
    expect(await plane.result('c-stubborn')).toMatchObject({ status: 'cancelled', exit_code: null });
    expect(wasAliveWhenTold).toBe(false);
  });
});

/** Makes the files of an agent that ran before its disk was full. */
async function startOnce(): Promise<void> {
  const agent = home.start(plane.url);
  await plane.beat(() => true);
  await agent.kill('SIGKILL');
}

test('an agent whose journal cannot be written runs nothing, says so, and recovers', async () => {
  digest = home.writeScript(`echo run >> ${inHome('runs')}`);
  await startOnce();
  const agent = home.start(plane.url, { through: ['prlimit', '--fsize=200:unlimited'] });
  const result = await ask('c-disk');
  expect(result).toMatchObject({ status: 'refused', code: 'refused_disk', exit_code: null, started_at: null });
  expect(existsSync(inHome('runs'))).toBe(false);
  execFileSync('prlimit', ['--pid', String(agent.child.pid), '--fsize=unlimited:unlimited']);
  expect(await ask('c-again')).toMatchObject({ status: 'completed' });
  expect(readFileSync(inHome('runs'), 'utf8')).toBe('run\n');
});

test('a command refused for want of disk is not started later on its own', async () => {
  digest = home.writeScript(`echo run >> ${inHome('runs')}`);
  await startOnce();
  plane.set({ isAcking: false });
  const agent = home.start(plane.url, { through: ['prlimit', '--fsize=200:unlimited'] });
  const jws = await sign('c-disk');
  plane.handOut(jws);
  await plane.result('c-disk');
  execFileSync('prlimit', ['--pid', String(agent.child.pid), '--fsize=unlimited:unlimited']);
  const after = await plane.push(jws);
  expect(after.results).toMatchObject([{ command_id: 'c-disk', code: 'refused_disk' }]);
  expect(existsSync(inHome('runs'))).toBe(false);
});
