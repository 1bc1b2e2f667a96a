import { describe, expect, test } from '@jest/globals';
import { awaitStatus, expectStatus, readAction, requestAction } from './action-steps.ts';
import { resultOf, runningEntry } from './agent-client.ts';
import type { AgentClient, Command } from './agent-client.ts';
import { sha256 } from './canonical-json.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Json } from './http-exchange.ts';

const NOT_STARTED = { exit_code: null, signal: null, started_at: null, stdout: '' };

const ENDS: { result: Json; action: Json }[] = [
  { result: { status: 'completed', exit_code: 0 }, action: { status: 'completed', exit_code: 0, failure_code: null } },
  {
    result: { status: 'failed', exit_code: 3, stderr: 'no such unit\n' },
    action: { status: 'failed', exit_code: 3, failure_code: 'exit_nonzero', stderr: 'no such unit\n' },
  },
  {
    result: { status: 'timed_out', exit_code: null, signal: 'SIGKILL' },
    action: { status: 'failed', failure_code: 'timed_out', signal: 'SIGKILL' },
  },
  { result: { status: 'interrupted', exit_code: null }, action: { status: 'failed', failure_code: 'interrupted' } },
  {
    result: { status: 'cancelled', exit_code: null, code: 'cancel_unconfirmed' },
    action: { status: 'failed', failure_code: 'cancel_unconfirmed' },
  },
  ...['unknown_playbook', 'playbook_changed', 'invalid_params', 'not_allowed_here', 'halted'].map((code) => ({
    result: { status: 'refused', code, ...NOT_STARTED },
    action: { status: 'failed', failure_code: code },
  })),
];

export function describeResults(plane: () => ControlPlane): void {
  async function takeCommand(name: string): Promise<{ agent: AgentClient; command: Command }> {
    const agent = await plane().enrol(name);
    await requestAction(plane(), name);
    return { agent, command: await agent.awaitCommand() };
  }

  describe('a result', () => {
    test.each(ENDS)('$result.status $result.code ends the action as $action', async ({ result, action }) => {
      const { agent, command } = await takeCommand(`result-${result.status}-${result.code ?? 'plain'}`);
      if (result.status !== 'refused') await agent.beat({ running: [runningEntry(command)] });
      const answer = await agent.report([resultOf(command, result)]);
      expectStatus(answer, 200);
      expect(answer.body.acked).toEqual([command.command_id]);
      const ended = await awaitStatus(plane(), command.action_id, action.status);
      expect(ended).toMatchObject({ ...action, attempt: 1, completed_at: expect.any(String) });
      expect((await agent.beat()).body).toMatchObject({ commands: [], cancel: [] });
    });

    test('brings its output and its times to the action', async () => {
      const { agent, command } = await takeCommand('result-output');
      const stdout = 'línea\n'.repeat(10);
      const result = resultOf(command, { stdout, stdout_bytes: 5000, truncated: true, stderr: 'warn\n' });
      await agent.report([{ ...result, stdout_sha256: sha256('the whole stream') }]);
      const ended = await awaitStatus(plane(), command.action_id, 'completed');
      expect(ended).toMatchObject({ stdout, stdout_bytes: 5000, stderr: 'warn\n', stderr_bytes: 5, truncated: true });
      expect(Date.parse(ended.executed_at)).not.toBeNaN();
    });

    test.each(['bad_signature', 'wrong_server', 'outside_window'])(
      'refused for %s does not end the action: the same command comes again',
      async (code) => {
        const { agent, command } = await takeCommand(`result-${code.replaceAll('_', '-')}`);
        const answer = await agent.report([resultOf(command, { status: 'refused', code, ...NOT_STARTED })]);
        expect(answer.body.acked).toEqual([command.command_id]);
        const again = await agent.awaitCommand();
        expect([again.command_id, again.seq]).toEqual([command.command_id, command.seq]);
        await agent.report([resultOf(again)]);
        await awaitStatus(plane(), command.action_id, 'completed');
      },
    );

    test('is acknowledged again when it is sent again, and changes nothing', async () => {
      const { agent, command } = await takeCommand('result-twice');
      await agent.report([resultOf(command)]);
      const ended = await awaitStatus(plane(), command.action_id, 'completed');
      const late = resultOf(command, { status: 'failed', exit_code: 9, stdout: 'something else' });
      expect((await agent.report([late])).body.acked).toEqual([command.command_id]);
      expect(await readAction(plane(), command.action_id)).toMatchObject({
        status: 'completed',
        exit_code: 0,
        stdout: ended.stdout,
      });
    });

    test('that is not owed is acknowledged and changes nothing, while its neighbours count', async () => {
      const { agent, command } = await takeCommand('result-not-owed-1');
      const { agent: thief } = await takeCommand('result-not-owed-2');
      const unknown = { ...resultOf(command), command_id: '00000000-0000-4000-8000-00000000beef' };
      expect((await thief.report([resultOf(command), unknown])).body.acked.toSorted()).toEqual(
        [command.command_id, unknown.command_id].toSorted(),
      );
      const wrongAttempt = resultOf(command, { attempt: 7 });
      expect((await agent.report([wrongAttempt])).body.acked).toEqual([command.command_id]);
      const malformed = { command_id: '00000000-0000-4000-8000-00000000babe', status: 'splendid' };
      expect((await readAction(plane(), command.action_id)).status).toMatch(/^(approved|executing)$/);

      const mixed = await agent.report([malformed, resultOf(command)]);
      expectStatus(mixed, 200);
      expect(mixed.body.acked.toSorted()).toEqual([malformed.command_id, command.command_id].toSorted());
      await awaitStatus(plane(), command.action_id, 'completed');
    });

    test('after a cancel before hand-out changes nothing: the command never existed', async () => {
      const agent = await plane().enrol('result-cancelled-early');
      const action = await requestAction(plane(), agent.name);
      const ana = await plane().as('ana', 'operator');
      expect([200, 202]).toContain((await ana.post(`/api/v1/actions/${action.id}/cancel`, {})).status);
      await awaitStatus(plane(), action.id, 'cancelled');
      expect((await agent.beat({ wait_s: 1 })).body.commands).toEqual([]);
    });
  });
}
