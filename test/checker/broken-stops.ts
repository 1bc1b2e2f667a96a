import type { HeardHeartbeat } from './evidence.ts';
import type { HandMadeEvent } from './hand-made-run.ts';
import { at, onAction, run, seal } from './hand-made-run.ts';
import type { BrokenRun } from './spoil.ts';
import { addBefore, addLate, addRetry, drop, eventOf, halt, pause, recordOf } from './spoil.ts';

const beat = (begun: string[], isHalted: boolean): HeardHeartbeat => ({ agent: 'web-1', isHalted, begun, told: null });

/** Each starts something that was stopped, and breaks nothing else. */
export const BROKEN_STOPS: BrokenRun[] = [
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
    'no_start_after_stop',
    'a command that was begun when its agent had heard of a halt',
    (made) => ({ ...seal(made), beats: [beat([], false), beat(['c2'], false), beat(['c2', 'c1'], true)] }),
  ],
  [
    'no_start_after_stop',
    'an answer that tells of a halt and of a command',
    (made) => ({ ...seal(made), beats: [{ ...beat([], false), told: { isHalted: true, commands: 1 } }] }),
  ],
];
