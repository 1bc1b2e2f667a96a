import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult, HeartbeatRequest } from '../../protocol/messages.ts';
import { createAgentInProcess } from '../fixtures/agent/agent-in-process.ts';
import type { AgentInProcess } from '../fixtures/agent/agent-in-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane, Reply } from '../fixtures/agent/fake-control-plane.ts';

const TEN_MINUTES_MS = 600_000;
const DAY_MS = 86_400_000;

let plane: FakeControlPlane;
let agent: AgentInProcess;
let skews: number;
beforeEach(async () => {
  skews = 0;
  plane = await startFakeControlPlane();
  plane.set({ intercept: judgeClock });
  agent = await createAgentInProcess(plane.url);
});
afterEach(async () => {
  await agent.remove();
  await plane.close();
});

const inState = (name: string): string => join(agent.config.agentDir, name);

/** What a control plane says to a token and a session by a clock that is off. */
function judgeClock(beat: HeartbeatRequest): Reply | undefined {
  const server_time = new Date().toISOString();
  const [, claims = ''] = (plane.beats.at(-1)?.authorization ?? '').split('.');
  const { iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iat: number; exp: number };
  if (iat * 1000 > Date.now() + 60_000 || exp * 1000 < Date.now() - 60_000) {
    skews += 1;
    return { status: 401, body: { code: 'clock_skew', server_time } };
  }
  const isFar = Date.parse(beat.session.started_at) > Date.now() + DAY_MS;
  return isFar ? { status: 400, body: { code: 'session_in_future', server_time } } : undefined;
}

async function ask(commandId: string, digest: string): Promise<CommandResult> {
  plane.handOut(await plane.sign({ command_id: commandId, playbook_digest: digest }));
  return plane.result(commandId);
}

describe('an agent', () => {
  test.each([TEN_MINUTES_MS, -TEN_MINUTES_MS, DAY_MS, -DAY_MS])(
    'whose clock is off by %d ms works by the time of the control plane',
    async (offMs) => {
      const digest = agent.writeScript(`echo run >> ${inState('runs')}`);
      agent.start({ now: () => Date.now() + offMs });
      await plane.beat(() => skews === 1); // what it is handed before would be refused, and handed out again
      const result = await ask('c-1', digest);
      expect(result).toMatchObject({ status: 'completed' });
      expect(Math.abs(Date.parse(result.finished_at) - Date.now())).toBeLessThan(30_000);
      const nowS = Math.floor((Date.now() + offMs) / 1000);
      // Its own clock opens no window.
      plane.handOut(await plane.sign({ command_id: 'c-2', playbook_digest: digest, nbf: nowS - 5, exp: nowS + 55 }));
      expect(await plane.result('c-2')).toMatchObject({ code: 'outside_window' });
      expect(readFileSync(inState('runs'), 'utf8')).toBe('run\n');
      expect(skews).toBe(1);
    },
  );

  test.each([TEN_MINUTES_MS, -TEN_MINUTES_MS / 2, -TEN_MINUTES_MS, DAY_MS, -DAY_MS])(
    'whose clock steps by %d ms in the middle of a command lets it end, and goes on at once',
    async (stepMs) => {
      let offMs = 0;
      const digest = agent.writeScript(
        `echo run >> ${inState('runs')}; while [ ! -e ${inState('go')} ]; do sleep 0.05; done`,
      );
      agent.start({ now: () => Date.now() + offMs });
      plane.handOut(await plane.sign({ command_id: 'c-1', playbook_digest: digest }));
      await plane.beat((beat) => beat.running.some((entry) => entry.started_at !== null));
      offMs = stepMs;
      plane.nudge();
      expect(existsSync(inState('go'))).toBe(false);
      writeFileSync(inState('go'), '');
      expect(await plane.result('c-1')).toMatchObject({ status: 'completed', exit_code: 0 });
      await plane.beat(() => skews > 0); // twice, where the end of the command cut the first answer off
      expect(await ask('c-2', digest)).toMatchObject({ status: 'completed' });
      expect(readFileSync(inState('runs'), 'utf8')).toBe('run\nrun\n');
    },
  );
});
