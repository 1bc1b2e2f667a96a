import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAgentInProcess } from '../fixtures/agent/agent-in-process.ts';
import type { AgentInProcess } from '../fixtures/agent/agent-in-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { TcpProxy, Trouble } from '../support/tcp-proxy.ts';

let plane: FakeControlPlane;
let proxy: TcpProxy;
let agent: AgentInProcess;
beforeEach(async () => {
  plane = await startFakeControlPlane();
  proxy = await startTcpProxy(new URL(plane.url).host);
  agent = await createAgentInProcess(`http://${proxy.address}`);
});
afterEach(async () => {
  await agent.remove();
  await proxy.stop();
  await plane.close();
});

/** Before a byte, in the head, in the body, and late in it. */
const RESETS: Trouble[] = (['up', 'down'] as const).flatMap((way) =>
  [0, 60, 350, 700, 1_100].map((resetAfterBytes): Trouble => ({ way, resetAfterBytes })),
);
const DELAYS: Trouble[] = (['up', 'down'] as const).map((way) => ({ way, delayMs: 300 }));

test('whatever happens on the way, each command runs once and each result arrives', async () => {
  const runs = join(agent.config.agentDir, 'runs');
  const digest = agent.writeScript(`echo "$MEDIC_COMMAND_ID" >> ${runs}`);
  agent.start();
  const ids: string[] = [];
  for (const [index, trouble] of [...RESETS, ...DELAYS].entries()) {
    for (const moment of ['handed out', 'reported']) {
      const command_id = `c-${String(index)}-${moment.length}`;
      ids.push(command_id);
      const jws = await plane.sign({ command_id, playbook_digest: digest });
      if (moment === 'handed out') proxy.trouble(trouble);
      plane.handOut(jws);
      if (moment === 'reported') {
        await plane.beat(
          (beat) => beat.running.some((entry) => entry.command_id === command_id) || isTold(beat, command_id),
        );
        proxy.trouble(trouble);
      }
      expect(await plane.result(command_id)).toMatchObject({ status: 'completed' });
    }
  }
  proxy.trouble(undefined);
  const last = plane.beats.at(-1)?.session.beat ?? 0;
  plane.nudge();
  await plane.beat((beat) => beat.session.beat > last && beat.results.length === 0);
  expect(readFileSync(runs, 'utf8').trim().split('\n')).toEqual(ids);
}, 90_000); // 24 commands, and a request that broke may be held for 5 s before it is missed

test('a network that is cut for a while loses no result and starts nothing twice', async () => {
  const runs = join(agent.config.agentDir, 'runs');
  const digest = agent.writeScript(`echo "$MEDIC_COMMAND_ID" >> ${runs}; sleep 0.3`);
  agent.start();
  for (const command_id of ['c-1', 'c-2', 'c-3']) {
    plane.handOut(await plane.sign({ command_id, playbook_digest: digest }));
    await plane.beat(
      (beat) => beat.running.some((entry) => entry.command_id === command_id) || isTold(beat, command_id),
    );
    await proxy.cut();
    const ended = (): boolean =>
      agent.logged.some(({ message, facts }) => message === 'a command ended' && facts['command_id'] === command_id);
    while (!ended()) await new Promise((resolve) => setImmediate(resolve));
    await proxy.mend();
    expect(await plane.result(command_id)).toMatchObject({ status: 'completed' });
  }
  expect(readFileSync(runs, 'utf8')).toBe('c-1\nc-2\nc-3\n');
});

function isTold(beat: { results: unknown[] }, commandId: string): boolean {
  return (beat.results as { command_id: string }[]).some((result) => result.command_id === commandId);
}
