import type { HandMadeEvent } from './hand-made-run.ts';
import { at, onAction, request, run, seal } from './hand-made-run.ts';
import type { BrokenRun } from './spoil.ts';
import { addBefore, addLate, addRetry, changeLine, drop, eventOf, halt, pause, recordOf } from './spoil.ts';

/** Each breaks one invariant of the log, of ends and of stops, and no other. */
export const BROKEN_ENDS: BrokenRun[] = [
  [
    'chain_holds',
    'an edited line',
    (made) =>
      changeLine(made, 4, (line) =>
        line.replace('"actor":"bob"', '"actor":"cid"').replace('"actor":"S1"', '"actor":"S2"'),
      ),
  ],
  [
    'chain_holds',
    'a line that is no JSON',
    (made) => {
      const sealed = seal(made);
      return { ...sealed, audit: [...sealed.audit, '{'] };
    },
  ],
  [
    'witness_holds',
    'a log that was cut',
    (made) => {
      const sealed = seal(made);
      return { ...sealed, witnesses: [{ count: sealed.audit.length + 1, head: '' }] };
    },
  ],
  [
    'witness_holds',
    'a log that was written anew',
    (made) => {
      const { witnesses = [] } = seal(made);
      eventOf(made, 'action.rejected', 'a3').data['reason'] = 'another';
      return { ...seal(made), witnesses };
    },
  ],
  [
    'ends_in_time',
    'a request that never ends',
    (made) => {
      addLate(made, request('a5', { s: 20, approvals: 1 }));
      for (const list of [made.slack, made.database]) list.push({ action_id: 'a5', status: 'pending' });
    },
  ],
  [
    'ends_in_time',
    'an end long after its bound',
    (made) => {
      eventOf(made, 'action.completed', 'a1').s = 8 + 20 + 60 + 31;
    },
  ],
  [
    'ends_once',
    'a move after the end',
    (made) => {
      const rejected = eventOf(made, 'action.rejected', 'a3');
      made.events.splice(made.events.indexOf(rejected) + 1, 0, { ...rejected, event: 'action.expired' });
    },
  ],
  [
    'no_start_after_stop',
    'a command after its rejection',
    (made) => {
      const [issued] = run({ id: 'a3', command: 'c9', seq: 3, s: 12, by: ['bob'] });
      const rejected = eventOf(made, 'action.rejected', 'a3');
      const approved = onAction('a3', { s: 11, actor: 'bob', event: 'action.approved', data: {} });
      made.events.splice(made.events.indexOf(rejected), 0, approved);
      addLate(made, issued as HandMadeEvent);
    },
  ],
  [
    'no_start_after_stop',
    'a command after its cancellation was asked for',
    (made) => {
      const asked = onAction('a1', { s: 6, actor: 'ana', event: 'action.cancel_requested', data: {} });
      made.events.splice(made.events.indexOf(eventOf(made, 'command.issued', 'c1')), 0, asked);
    },
  ],
  [
    'no_start_after_stop',
    'a command when the time to start was over',
    (made) => {
      eventOf(made, 'action.requested', 'a1').data['start_within_s'] = 0;
      eventOf(made, 'command.issued', 'c1').s = 9;
      eventOf(made, 'action.started', 'a1').s = 9;
    },
  ],
  [
    'no_start_after_stop',
    'a process that was begun after its end',
    (made) => {
      recordOf(made, 'intent', 'c1')['at'] = at(20);
    },
  ],
  [
    'no_start_after_stop',
    'what auto approved, on a paused server',
    (made) => {
      addBefore(made, eventOf(made, 'command.issued', 'c2'), pause(2));
    },
  ],
  [
    'no_start_after_stop',
    'what auto approved before a pause, when that had ended',
    (made) => {
      addBefore(made, eventOf(made, 'command.issued', 'c2'), pause(2), pause(2, 'unpaused'));
    },
  ],
  [
    'no_start_after_stop',
    'an approval of auto on a paused server',
    (made) => {
      drop(made.events, eventOf(made, 'command.issued', 'c2'));
      drop(made.events, eventOf(made, 'action.started', 'a2'));
      drop(made.events, eventOf(made, 'action.completed', 'a2'));
      made.journals['web-1'] = made.journals['web-1']?.filter(({ command_id: id }) => id !== 'c2') ?? [];
      made.processes = made.processes.filter((id) => id !== 'c2');
      addBefore(made, eventOf(made, 'action.approved', 'a2'), pause(2));
      made.events.push(onAction('a2', { s: 14, actor: 'bob', event: 'action.cancelled', data: {} }));
      for (const list of [made.slack, made.database]) list.splice(1, 1, { action_id: 'a2', status: 'cancelled' });
    },
  ],
  [
    'no_start_after_stop',
    'a request on a paused server that needs nobody',
    (made) => {
      const asked = eventOf(made, 'action.requested', 'a2');
      addBefore(made, asked, pause(1));
      made.events.splice(made.events.indexOf(asked) + 1, 0, pause(1, 'unpaused'));
    },
  ],
  [
    'no_start_after_stop',
    'what was to be tried again when its server was paused',
    (made) => {
      addRetry(made);
      addBefore(made, eventOf(made, 'command.issued', 'c6'), pause(25), pause(26, 'unpaused'));
    },
  ],
  [
    'no_start_after_stop',
    'what was to be tried again when a halt ended',
    (made) => {
      addRetry(made);
      const lifted = { ...halt(26, {}), event: 'halt.lifted' };
      addBefore(made, eventOf(made, 'command.issued', 'c6'), halt(25, { scope: 'all' }), lifted);
    },
  ],
  [
    'no_start_after_stop',
    'a command under a halt',
    (made) => {
      made.events.splice(made.events.indexOf(eventOf(made, 'command.issued', 'c1')), 0, halt(6, { scope: 'all' }));
    },
  ],
  [
    'no_start_after_stop',
    'what waited for the end of a halt',
    (made) => {
      const issued = eventOf(made, 'command.issued', 'c1');
      const lifted = { ...halt(6.5, {}), event: 'halt.lifted' };
      made.events.splice(made.events.indexOf(issued), 0, halt(6, { scope: 'all' }), lifted);
    },
  ],
  [
    'no_start_after_stop',
    'a command of a frozen playbook',
    (made) => {
      const frozen = halt(6, { scope: 'playbook', value: 'restart-service' });
      made.events.splice(made.events.indexOf(eventOf(made, 'command.issued', 'c1')), 0, frozen);
    },
  ],
  [
    'no_start_after_stop',
    'a command on a server of a frozen tag',
    (made) => {
      const token = { s: 0, actor: 'root', event: 'token.created', subject: { type: 'enrollment_token', id: 't1' } };
      const enrolled = { s: 0, actor: 'S1', event: 'server.enrolled', subject: { type: 'server', id: 'S1' } };
      made.events.unshift(
        { ...token, data: { server_name: 'web-1', tags: ['shop'] } },
        { ...enrolled, data: { name: 'web-1' } },
      );
      const frozen = halt(6, { scope: 'tag', value: 'shop' });
      made.events.splice(made.events.indexOf(eventOf(made, 'command.issued', 'c1')), 0, frozen);
    },
  ],
  [
    'no_start_after_stop',
    'a process that was begun when every agent had heard of the halt',
    (made) => {
      made.events.unshift(halt(-70, { scope: 'all', until: at(-60) }));
      made.events.unshift({ ...halt(-60, { scope: 'all', until: at(2.5) }), subject: { type: 'halt', id: 'h0' } });
      recordOf(made, 'intent', 'c2')['at'] = at(2.4);
    },
  ],
  [
    'states_agree',
    'a card that shows something else',
    (made) => {
      made.slack[0] = { action_id: 'a1', status: 'executing' };
    },
  ],
  [
    'states_agree',
    'a row that is not there',
    (made) => {
      made.database.pop();
    },
  ],
  [
    'results_agree',
    'another end than the agent’s',
    (made) => {
      recordOf(made, 'exited', 'c1')['result'] = {
        status: 'failed',
        exit_code: 0,
        stdout_sha256: `sha256:${'b'.repeat(64)}`,
      };
    },
  ],
  [
    'results_agree',
    'another exit code than the agent’s',
    (made) => {
      eventOf(made, 'action.completed', 'a1').data['exit_code'] = 3;
    },
  ],
  [
    'results_agree',
    'an end that was acknowledged and lost',
    (made) => {
      eventOf(made, 'action.completed', 'a1').data = { code: 'agent_lost', exit_code: 0 };
    },
  ],
  [
    'results_agree',
    'an end that was never delivered',
    (made) => {
      drop(made.journals['web-1'], recordOf(made, 'acknowledged', 'c1'));
    },
  ],
  [
    'clicks_kept',
    'an approval that was acknowledged and is not there',
    (made) => {
      made.clicks.push({ action_id: 'a3', kind: 'approve', who: 'bob', at: at(11) });
    },
  ],
  [
    'clicks_kept',
    'two clicks, of which one stands there',
    (made) => {
      made.clicks.push({ action_id: 'a4', kind: 'cancel', who: 'ana', at: at(13) });
    },
  ],
  [
    'clicks_kept',
    'another click than the one that stands there',
    (made) => {
      made.clicks.push({ action_id: 'a3', kind: 'reject', who: 'cid', at: at(11), decision_id: 'd9' });
      made.clicks = made.clicks.filter(({ decision_id: id }) => id !== 'd3');
    },
  ],
];
