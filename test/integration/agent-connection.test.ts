import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal } from '../../agent/journal.ts';
import type { CommandResult } from '../../protocol/messages.ts';
import { createAgentInProcess } from '../fixtures/agent/agent-in-process.ts';
import type { AgentInProcess } from '../fixtures/agent/agent-in-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane, Reply } from '../fixtures/agent/fake-control-plane.ts';

const AT = '2026-01-01T00:00:00.000Z';
const SPEED = 100; // 30 ms of ours are 3 s of the agent's

let plane: FakeControlPlane;
let agent: AgentInProcess;
beforeEach(async () => {
  plane = await startFakeControlPlane();
  agent = await createAgentInProcess(plane.url);
});
afterEach(async () => {
  await agent.remove();
  await plane.close();
});

/** The first heartbeats get these answers, the later ones are answered as usual. */
function replyFirst(...replies: Reply[]): void {
  plane.set({ intercept: () => replies.shift() });
}

describe('an agent whose control plane is in trouble', () => {
  test('goes on after 426, 429 and 5xx, says why, and waits as long as it was told', async () => {
    replyFirst(
      { status: 426, body: { code: 'unsupported_protocol' } },
      { status: 429, body: {}, headers: { 'retry-after': '7' } },
      { status: 503, body: { detail: 'The database is away.' } },
      { status: 200, body: { server_time: 'yesterday' } },
    );
    agent.start();
    await plane.beat(() => plane.beats.length >= 6);
    expect(agent.retries).toEqual([undefined, 7_000, undefined, undefined]);
    expect(agent.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'the control plane no longer speaks protocol 1: update this agent',
      'the control plane asks us to come less often',
      'the control plane answered 503: The database is away.',
      'the answer is malformed: server_time must be a time in ISO 8601 UTC, like 2026-01-31T12:00:00.000Z',
    ]);
    expect(agent.logged.filter(({ message }) => message === 'the control plane answers again')).toHaveLength(1);
    const counted = plane.beats.map(({ session }) => session.beat);
    expect(counted).toEqual(counted.map((_, index) => index + 1));
  });

  test('begins a new session where its own is too far ahead', async () => {
    const session = { started_at: '2999-01-01T00:00:00.000Z', beat: 7 };
    writeFileSync(join(agent.config.agentDir, 'session.json'), JSON.stringify(session));
    replyFirst({ status: 400, body: { code: 'session_in_future', server_time: new Date().toISOString() } });
    agent.start();
    await plane.beat(() => plane.beats.length >= 2);
    const [first, second] = plane.beats.map((beat) => Date.parse(beat.session.started_at));
    expect(first).toBeGreaterThan(Date.parse(session.started_at));
    expect(second).toBeLessThanOrEqual(Date.now());
    expect(agent.retries).toEqual([]);
  });

  test('polls once three held requests were cut off', async () => {
    replyFirst({ cutAfterMs: 30 }, { cutAfterMs: 30 }, { cutAfterMs: 30 });
    agent.start({ speed: SPEED });
    const polling = await plane.beat((beat) => beat.wait_s === 0);
    expect(polling.session.beat).toBe(4);
    expect(plane.beats.slice(0, 3).map((beat) => beat.wait_s)).toEqual([5, 5, 5]);
    await plane.beat((beat) => beat.wait_s === 0 && beat.session.beat > 5);
  });

  test('does not poll where requests break at once', async () => {
    replyFirst(...Array.from({ length: 5 }, (): Reply => ({ cutAfterMs: 0 })));
    agent.start();
    await plane.beat(() => plane.beats.length >= 6);
    expect(plane.beats.map((beat) => beat.wait_s)).toEqual([5, 5, 5, 5, 5, 5]);
  });
});

function resultOf(commandId: string): CommandResult {
  const digest = `sha256:${'0'.repeat(64)}`;
  return {
    ...{ command_id: commandId, attempt: 1, status: 'completed', exit_code: 0, signal: null },
    ...{ started_at: AT, finished_at: AT, truncated: false },
    ...{ stdout: 'x'.repeat(65_000), stderr: '', stdout_bytes: 65_000, stderr_bytes: 0 },
    ...{ stdout_sha256: digest, stderr_sha256: digest },
  };
}

test('results go oldest first, as many as fit 900 KiB, until they are acknowledged', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `c-${String(index)}`);
  const journal = await openJournal(join(agent.config.agentDir, 'journal.jsonl'));
  for (const [index, id] of ids.entries()) {
    await journal.append([
      { kind: 'received', command_id: id, attempt: 1, kid: 'k', seq: index + 1, at: AT },
      { kind: 'exited', command_id: id, result: resultOf(id) },
    ]);
  }
  await journal.close();
  plane.set({ isAcking: false });
  agent.start();
  const idsOf = (beat: { results: unknown[] }): string[] => (beat.results as CommandResult[]).map((r) => r.command_id);
  const first = await plane.beat(() => true);
  expect(idsOf(first)).toEqual(ids.slice(0, 14));
  expect(Buffer.byteLength(JSON.stringify(first.results))).toBeLessThanOrEqual(900 * 1024);
  plane.set({ isAcking: true });
  plane.nudge();
  const last = await plane.beat((beat) => idsOf(beat).includes('c-19'));
  expect(idsOf(last)).toEqual(ids.slice(14));
  await plane.beat((beat) => beat.session.beat > last.session.beat && beat.results.length === 0);
});
