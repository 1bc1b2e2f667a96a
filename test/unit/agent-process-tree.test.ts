import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProcesses, readStartTicks } from '../../agent/process-tree.ts';

test('a process group is known by when its leader started, so that a number used again names nobody else', async () => {
  const leader = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  await once(leader, 'spawn');
  const id = leader.pid ?? 0;
  const startTicks = (await readStartTicks(id)) ?? 0;
  const commandId = 'c-that-no-process-carries';
  expect(await findProcesses({ commandId, group: { id, startTicks } })).toEqual([id]);
  expect(await findProcesses({ commandId, group: { id, startTicks: startTicks - 1 } })).toEqual([]);
  const ended = once(leader, 'exit');
  leader.kill('SIGKILL');
  await ended;
  expect(await findProcesses({ commandId, group: { id, startTicks } })).toEqual([]);
});
