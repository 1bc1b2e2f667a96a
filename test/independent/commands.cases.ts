import { describe, expect, test } from '@jest/globals';
import { awaitStatus, expectStatus, pause, readAction, requestAction } from './action-steps.ts';
import { resultOf, runningEntry } from './agent-client.ts';
import type { Command } from './agent-client.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { ECHO_NOTE_PLAYBOOK } from './playbook-documents.ts';
import { openJws } from './signatures.ts';

export function describeCommands(plane: () => ControlPlane): void {
  describe('a command', () => {
    test('answers a held heartbeat at once', async () => {
      const agent = await plane().enrol('command-1');
      await plane().token('ana', 'operator'); // Made now: what is measured is the hand-out alone.
      await agent.beat();
      const held = agent.beat({ wait_s: 20 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const began = performance.now();
      const action = await requestAction(plane(), agent.name);
      const answer = await held;
      expect(performance.now() - began).toBeLessThan(5000);
      expectStatus(answer, 200);
      expect(answer.body.commands).toHaveLength(1);
      expect(agent.open(answer.body.commands[0]).payload['action_id']).toBe(action.id);
    });

    test('is signed by a key that enrolment named, and says what was asked and approved', async () => {
      const agent = await plane().enrol('command-2');
      const action = await requestAction(plane(), agent.name, { params: { note: 'abc', times: 3 }, timeout_s: 90 });
      const jws = await eventually('a command', async () => (await agent.beat({ wait_s: 5 })).body.commands[0]);
      const { header, payload } = agent.open(String(jws));
      expect(header).toMatchObject({ alg: 'EdDSA', typ: 'medic-command', kid: expect.any(String) });
      expect(payload).toMatchObject({
        command_id: expect.any(String),
        action_id: action.id,
        attempt: 1,
        server_id: agent.serverId,
        playbook: 'echo-note',
        playbook_digest: ECHO_NOTE_PLAYBOOK.digest,
        params: { note: 'abc', times: 3 },
        dry_run: false,
        timeout_s: 90,
        seq: expect.any(Number),
        approvals: [{ by: 'auto', at: expect.any(String) }],
      });
      const command = payload as unknown as Command;
      const now = Date.now() / 1000;
      expect(command.nbf).toBeLessThanOrEqual(now + 1);
      expect(command.exp).toBeGreaterThan(now);
      expect(command.exp).toBeLessThanOrEqual(now + 61);
      expect(() => openJws(tampered(String(jws)), agent.enrolment.command_keys)).toThrow('does not hold');
    });

    test('is handed out again, same id and seq, newly signed, until the agent lists it', async () => {
      const agent = await plane().enrol('command-3');
      await requestAction(plane(), agent.name);
      const first = await agent.awaitCommand();
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const answer = await agent.beat();
      const second = agent.open(answer.body.commands[0]).payload as unknown as Command;
      expect([second.command_id, second.seq]).toEqual([first.command_id, first.seq]);
      expect(second.exp).toBeGreaterThan(first.exp);
      const listed = await agent.beat({ running: [{ ...runningEntry(first), started_at: null, step: 0 }] });
      expect(listed.body).toMatchObject({ commands: [], cancel: [] });
    });

    test('waits while the server runs another, and seq grows in the order of hand-out', async () => {
      const agent = await plane().enrol('command-4');
      const actions = [await requestAction(plane(), agent.name), await requestAction(plane(), agent.name)];
      const first = await agent.awaitCommand();
      expect(first.action_id).toBe(actions[0].id);
      const running = [runningEntry(first)];
      expect((await agent.beat({ running })).body.commands).toEqual([]);
      await awaitStatus(plane(), first.action_id, 'executing');
      expect((await agent.beat({ running, wait_s: 2 })).body.commands).toEqual([]);

      expect((await agent.report([resultOf(first)])).body.acked).toEqual([first.command_id]);
      const second = await agent.awaitCommand();
      expect(second.action_id).toBe(actions[1].id);
      expect(second.command_id).not.toBe(first.command_id);
      expect(second.seq).toBeGreaterThan(first.seq);
      await agent.report([resultOf(second)]);
      await awaitStatus(plane(), actions[0].id, 'completed');
      await awaitStatus(plane(), actions[1].id, 'completed');
    });

    test('keeps its seq growing over a new enrolment of the same name', async () => {
      const before = await plane().enrol('command-5');
      await requestAction(plane(), before.name);
      const first = await before.awaitCommand();
      await before.report([resultOf(first)]);
      const after = await plane().enrol('command-5');
      await requestAction(plane(), after.name);
      expect((await after.awaitCommand()).seq).toBeGreaterThan(first.seq);
    });

    test('names the people who approved it', async () => {
      const agent = await plane().enrol('command-6');
      await pause(plane(), agent.serverId);
      const action = await requestAction(plane(), agent.name);
      expect(action.status).toBe('pending');
      expect((await agent.beat()).body).toMatchObject({ commands: [], paused: true });
      expectStatus(await (await plane().as('cid', 'approver')).post(`/api/v1/actions/${action.id}/approve`, {}), 200);
      const command = await agent.awaitCommand();
      expect(command.approvals).toMatchObject([{ by: 'cid', at: expect.any(String) }]);
    });

    test('carries dry_run, and its result has no exit code', async () => {
      const agent = await plane().enrol('command-7');
      const action = await requestAction(plane(), agent.name, { dry_run: true });
      const command = await agent.awaitCommand();
      expect(command.dry_run).toBe(true);
      await agent.report([resultOf(command, { exit_code: null, started_at: null, stdout: '' })]);
      const ended = await awaitStatus(plane(), action.id, 'completed');
      expect(ended).toMatchObject({ dry_run: true, exit_code: null });
    });

    test('of an action that is cancelled while it runs comes back in cancel', async () => {
      const agent = await plane().enrol('command-8');
      const action = await requestAction(plane(), agent.name);
      const command = await agent.awaitCommand();
      const running = [runningEntry(command)];
      await agent.beat({ running });
      await awaitStatus(plane(), action.id, 'executing');
      const held = agent.beat({ running, wait_s: 20 });
      const ana = await plane().as('ana', 'operator');
      expect([200, 202]).toContain((await ana.post(`/api/v1/actions/${action.id}/cancel`, { reason: 'no' })).status);
      expect((await held).body.cancel).toEqual([command.command_id]);
      expect((await readAction(plane(), action.id)).status).toBe('executing');
      const dead = resultOf(command, { status: 'cancelled', exit_code: null, signal: 'SIGTERM' });
      expect((await agent.report([dead])).body.acked).toEqual([command.command_id]);
      await awaitStatus(plane(), action.id, 'cancelled');
    });

    test('that is not owed comes back in cancel where it is listed as running', async () => {
      const agent = await plane().enrol('command-9');
      const stranger = { command_id: '00000000-0000-4000-8000-00000000dead', started_at: null, step: 0, steps: 1 };
      expect((await agent.beat({ running: [stranger] })).body.cancel).toEqual([stranger.command_id]);
    });
  });
}

/** The same JWS with one character of its payload changed. */
function tampered(jws: string): string {
  const [header, payload, signature] = jws.split('.') as [string, string, string];
  const changed = payload.startsWith('e') ? `${payload.slice(0, 20)}${swap(payload[20])}${payload.slice(21)}` : payload;
  return [header, changed, signature].join('.');
}

function swap(character: string | undefined): string {
  return character === 'A' ? 'B' : 'A';
}
