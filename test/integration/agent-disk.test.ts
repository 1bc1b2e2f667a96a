import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult } from '../../protocol/messages.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import type { AgentHome, AgentProcess } from '../fixtures/agent/agent-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';

/** A small disk of its own for one process: needs root, and is seen by nobody else. */
const isMountable = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
if (!isMountable) console.warn('SKIPPED: small disks cannot be mounted here (this needs root), see agent-disk.test.ts');
const onSmallDisk = isMountable ? describe : describe.skip;

const MOUNT =
  'kept=$(mktemp -d) && cp -a "$0/." "$kept" && mount -t tmpfs -o size=4m,nr_inodes=40,mode=0700 none "$0" &&' +
  ' cp -a "$kept/." "$0" && rm -r "$kept"';

let home: AgentHome;
let plane: FakeControlPlane;
let runDigest: string;
let sweepDigest: string;
beforeEach(async () => {
  home = createAgentHome();
  plane = await startFakeControlPlane();
  expect((await home.run(['enroll', '--token', 't'], plane.url)).stderr).toBe('');
  const logs = join(home.agentDir, 'logs');
  mkdirSync(logs);
  home.writeAllow('version: 1\nallow:\n  run-script: { word: [good] }\n  sweep: { path: ["*"] }\n');
  runDigest = home.writeScript(`echo run >> ${join(home.folder, 'runs')}`);
  const head = 'name: sweep\ntitle: Sweep\nrisk: low\ntimeout: 20s\n';
  const params = `params:\n  path: { type: path, within: [${logs}], required: true }\n`;
  sweepDigest = home.writePlaybook(
    'sweep',
    `${head}${params}steps:\n  - uses: clear-logs\n    with: { path: '\${path}' }\n`,
  );
});
afterEach(async () => {
  await home.remove();
  await plane.close();
});

const through = (more = ''): { through: string[] } => ({
  through: ['unshare', '-m', '--propagation', 'private', 'sh', '-c', `${MOUNT}${more} && exec "$@"`, home.agentDir],
});
let asked = 0;
async function run(): Promise<CommandResult> {
  const command_id = `c-run-${String((asked += 1))}`;
  plane.handOut(await plane.sign({ command_id, playbook_digest: runDigest }));
  return plane.result(command_id);
}
async function sweep(): Promise<CommandResult> {
  const command_id = `c-sweep-${String((asked += 1))}`;
  const params = { path: join(home.agentDir, 'logs') };
  plane.handOut(await plane.sign({ command_id, playbook: 'sweep', playbook_digest: sweepDigest, params }));
  return plane.result(command_id);
}

/** The agent's folder as the agent sees it. */
const seenBy = (agent: AgentProcess, name: string): string =>
  join('/proc', String(agent.child.pid), 'root', home.agentDir, name);

function fill(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096, 'x'));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

onSmallDisk('on a disk that is full', () => {
  test('nothing runs but what makes room, and afterwards everything again', async () => {
    const agent = home.start(plane.url, through());
    expect(await run()).toMatchObject({ status: 'completed' });
    fill(seenBy(agent, 'logs/app.log'));
    const results: CommandResult[] = [];
    while (results.at(-1)?.status !== 'refused' && results.length < 20) results.push(await run());
    // What fits into the last block of the journal is on disk, and so may run.
    expect(results.at(-1)).toMatchObject({ status: 'refused', code: 'refused_disk', started_at: null });
    const runs = readFileSync(join(home.folder, 'runs'), 'utf8').split('\n').length - 1;
    expect(runs).toBe(results.length); // the first one, and all but the last
    expect(await sweep()).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(await run()).toMatchObject({ status: 'completed' });
    expect(readdirSync(seenBy(agent, '.'))).toContain('reserve');
  });

  test('and has no inodes left, an agent starts and makes room', async () => {
    const logs = join(home.agentDir, 'logs');
    const warm = home.start(plane.url);
    await plane.beat(() => true);
    await warm.kill('SIGKILL');
    const exhaust = `; i=0; while true > ${logs}/$i.log.1 2>/dev/null; do i=$((i+1)); done; cat /dev/zero > ${logs}/0.log.1 2>/dev/null; true`;
    home.start(plane.url, through(exhaust));
    expect(await sweep()).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(await run()).toMatchObject({ status: 'completed' });
  });
});

onSmallDisk('on a disk that is read-only', () => {
  test('an agent does not start, and says why', async () => {
    const agent = home.start(plane.url, through(' && mount -o remount,ro "$0"'));
    await new Promise((resolve) => agent.child.once('close', resolve));
    expect(agent.child.exitCode).toBe(1);
    expect(agent.stderr()).toMatch(/^medic agent: .*read-?only.*\n$/);
    expect(plane.beats).toEqual([]);
  });
});

test('an agent writes its journal again once it can, and what it refused stays refused', async () => {
  const warm = home.start(plane.url);
  expect(await run()).toMatchObject({ status: 'completed' });
  await warm.kill('SIGKILL');
  writeFileSync(join(home.folder, 'runs'), '');
  const agent = home.start(plane.url, { through: ['prlimit', '--fsize=200:unlimited'] });
  expect(await run()).toMatchObject({ status: 'refused', code: 'refused_disk' });
  expect(await sweep()).toMatchObject({ status: 'refused', code: 'refused_disk' }); // no reserve helps against this
  expect(readFileSync(join(home.folder, 'runs'), 'utf8')).toBe('');
  spawnSync('prlimit', ['--pid', String(agent.child.pid), '--fsize=unlimited:unlimited']);
  expect(await run()).toMatchObject({ status: 'completed' });
});
