import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openJournal } from '../../agent/journal.ts';
import { readBootId } from '../../agent/process-tree.ts';
import type { CommandResult } from '../../protocol/messages.ts';
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
const journalPath = (): string => join(home.agentDir, 'journal.jsonl');

/** A command that runs on, though its agent is killed. */
async function killInTheMiddle(): Promise<string> {
  digest = home.writeScript(`echo run >> ${inHome('runs')}; exec sleep 300`);
  const jws = await plane.sign({ playbook_digest: digest, command_id: 'c-1' });
  const agent = home.start(plane.url);
  plane.handOut(jws);
  await plane.beat((beat) => beat.running.some((entry) => entry.started_at !== null));
  await agent.kill('SIGKILL');
  return jws;
}

/** Ends the process at this point, as `kill -9` does. */
function dyingAt(point: string): { through: string[] } {
  const hook = `globalThis[Symbol.for('medic.crash_point')]=(at)=>at==='${point}'&&process.kill(process.pid,'SIGKILL')`;
  return { through: ['env', `NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(hook)}`] };
}

/** The same of the machine: what was not synced to the disk is gone. */
function losingPowerAt(point: string): { through: string[] } {
  const hook = pathToFileURL(join(import.meta.dirname, '..', 'fixtures', 'agent', 'power-cut.ts')).href;
  return { through: ['env', `TEST_POWER_CUT_AT=${point}`, `NODE_OPTIONS=--import=${hook}`] };
}

async function startOnceThrough(death: { through: string[] }, status: string): Promise<void> {
  digest = home.writeScript(`echo run >> ${inHome('runs')}`);
  await (await openJournal(journalPath())).close(); // it ran before: its files are there
  const agent = home.start(plane.url, death);
  const died = once(agent.child, 'close');
  plane.handOut(await plane.sign({ playbook_digest: digest, command_id: 'c-1' }));
  await died;
  expect(agent.child.signalCode).toBe('SIGKILL');
  const beats = plane.beats.length;
  home.start(plane.url);
  expect(await plane.result('c-1')).toMatchObject({ status });
  await plane.beat((beat) => plane.beats.indexOf(beat as never) > beats && beat.results.length === 0);
  const ends = plane.beats.flatMap((beat) => (beat.results as CommandResult[]).map((result) => result.status));
  expect(new Set(ends)).toEqual(new Set([status]));
  const runs = existsSync(inHome('runs')) ? readFileSync(inHome('runs'), 'utf8') : '';
  expect(['', 'run\n']).toContain(runs);
  if (status === 'completed') expect(runs).toBe('run\n');
}

describe('an agent that is killed', () => {
  test.each([
    ['journal.intent:before', 'completed'], // nothing is on disk: it is handed out again
    ['agent.fence:before', 'interrupted'],
    ['agent.fence:after', 'interrupted'],
    ['journal.intent:after', 'interrupted'],
    ['process.spawn:before', 'interrupted'],
    ['process.spawn:after', 'interrupted'],
    ['journal.started:before', 'interrupted'],
    ['journal.started:after', 'interrupted'],
    ['journal.exited:before', 'interrupted'],
    ['journal.exited:after', 'completed'],
    ['journal.acknowledged:before', 'completed'],
    ['journal.acknowledged:after', 'completed'],
  ])('at %s starts a command at most once, and tells one end of it', (point, status) =>
    startOnceThrough(dyingAt(point), status),
  );

  test.each([
    ['agent.fence:after', 'interrupted'],
    ['journal.intent:after', 'interrupted'],
    ['process.spawn:after', 'interrupted'],
    ['journal.exited:after', 'completed'],
    ['journal.acknowledged:after', 'completed'],
  ])('with its machine at %s finds on the disk what it had announced', (point, status) =>
    startOnceThrough(losingPowerAt(point), status),
  );
});

describe('an agent that starts again', () => {
  test('with a damaged journal ends what may have started, tells of the damage once, and runs it never again', async () => {
    const jws = await killInTheMiddle();
    writeFileSync(journalPath(), readFileSync(journalPath(), 'utf8').replace('"kind":"received"', '"kind":"deceived"'));
    plane.beats.length = 0;
    const agent = home.start(plane.url);
    expect(await plane.result('c-1')).toMatchObject({
      status: 'interrupted',
      started_at: expect.any(String),
    });
    const told = await plane.beat(() => true);
    expect(told.journal_damage).toMatchObject({ lines: 1 });
    const after = await plane.push(jws);
    expect(after.journal_damage).toBeUndefined();
    await plane.beat((beat) => beat.session.beat > after.session.beat);
    expect(readFileSync(inHome('runs'), 'utf8')).toBe('run\n');
    expect(agent.stderr()).toContain('the journal was damaged');
    expect(readdirSync(home.agentDir).filter((name) => name.startsWith('journal.damaged-'))).toHaveLength(1);
  });

  test('with journal and fence damaged says what to do, and runs nothing', async () => {
    await killInTheMiddle();
    for (const file of [journalPath(), join(home.agentDir, 'fence')]) {
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"command_id":"c-1"', '"command_id":"c-2"'));
    }
    const { code, stderr } = await home.run(['run'], plane.url);
    expect(code).toBe(1);
    expect(stderr).toContain('move both files away, and enrol it again with a new token.');
  });

  test('finds its folder free after a SIGKILL, and not while the first one lives', async () => {
    const first = home.start(plane.url);
    await plane.beat(() => true);
    expect((await home.run(['run'], plane.url)).stderr).toContain('is in use by another agent');
    await first.kill('SIGKILL');
    plane.beats.length = 0;
    home.start(plane.url);
    await plane.beat(() => true);
  });

  test('after a reboot reports interrupted, and leaves alone who has the process id by now', async () => {
    const innocent = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    await once(innocent, 'spawn');
    const at = new Date().toISOString();
    const journal = await openJournal(journalPath());
    await journal.append([
      { kind: 'received', command_id: 'c-old', attempt: 1, kid: 'k', seq: 1, at },
      { kind: 'intent', command_id: 'c-old', at },
    ]);
    const place = { pid: innocent.pid ?? 0, start_ticks: 1, boot_id: 'another boot', step: 1, at };
    await journal.append([{ kind: 'started', command_id: 'c-old', ...place }]);
    await journal.close();
    expect(await readBootId()).not.toBe(place.boot_id);
    home.start(plane.url);
    expect(await plane.result('c-old')).toMatchObject({ status: 'interrupted', started_at: at });
    expect(existsSync(`/proc/${String(innocent.pid)}`)).toBe(true);
    expect(innocent.signalCode).toBeNull();
    const ended = once(innocent, 'exit');
    innocent.kill('SIGKILL');
    await ended;
  });
});
