import type { HandMadeEvent } from './hand-made-run.ts';
import { at, records, run, seal } from './hand-made-run.ts';
import type { BrokenRun } from './spoil.ts';
import { addRetry, drop, eventOf, recordOf } from './spoil.ts';

/** Each breaks one invariant of what is started, and no other. */
export const BROKEN_STARTS: BrokenRun[] = [
  [
    'start_has_one_command',
    'a start that nobody commanded',
    (made) => {
      made.journals['web-1']?.push(...records({ command: 'c9', seq: 9, s: 20 }).slice(0, 1));
    },
  ],
  [
    'start_has_one_command',
    'a second command for one attempt',
    (made) => {
      const [issued] = run({ id: 'a2', command: 'c3', seq: 2, s: 4, by: ['auto'] });
      eventOf(made, 'command.issued', 'c1').data['seq'] = 3;
      recordOf(made, 'received', 'c1')['seq'] = 3;
      const first = made.events.findIndex(({ event }) => event === 'command.issued');
      made.events.splice(first, 0, { ...(issued as HandMadeEvent), s: 3 });
      eventOf(made, 'command.issued', 'c2').data['server_id'] = 'S2';
      eventOf(made, 'command.issued', 'c1').data['server_id'] = 'S2';
    },
  ],
  [
    'start_has_one_command',
    'a command of another playbook than was asked for',
    (made) => {
      eventOf(made, 'command.issued', 'c1').data['playbook_digest'] = 'sha256:other';
    },
  ],
  [
    'start_has_one_command',
    'a command signed by another key',
    (made) => {
      recordOf(made, 'received', 'c1')['kid'] = 'k2';
    },
  ],
  [
    'start_has_one_command',
    'a second attempt of what was to be tried once',
    (made) => {
      addRetry(made);
      eventOf(made, 'action.requested', 'a5').data['attempts'] = 1;
    },
  ],
  [
    'start_has_one_command',
    'a second attempt before its time',
    (made) => {
      addRetry(made);
      eventOf(made, 'action.attempt_failed', 'a5').data['next_attempt_at'] = at(60);
    },
  ],
  [
    'start_was_approved',
    'an approval too few',
    (made) => {
      eventOf(made, 'action.requested', 'a1').data['approvals_required'] = 2;
    },
  ],
  [
    'start_was_approved',
    'the same person twice',
    (made) => {
      eventOf(made, 'action.requested', 'a1').data['approvals_required'] = 2;
      const approved = eventOf(made, 'action.approved', 'a1');
      made.events.splice(made.events.indexOf(approved), 0, { ...approved, event: 'action.approval_added' });
    },
  ],
  [
    'start_was_approved',
    'the requester',
    (made) => {
      const approved = eventOf(made, 'action.approved', 'a1');
      made.events.splice(made.events.indexOf(approved), 0, {
        ...approved,
        event: 'action.approval_added',
        actor: 'ana',
      });
    },
  ],
  [
    'start_was_approved',
    'auto where a person is needed',
    (made) => {
      eventOf(made, 'action.requested', 'a2').data['approvals_required'] = 1;
    },
  ],
  [
    'start_was_approved',
    'auto by no rule',
    (made) => {
      eventOf(made, 'action.approved', 'a2').data = {};
    },
  ],
  [
    'start_was_approved',
    'a command before its approval',
    (made) => {
      const approved = eventOf(made, 'action.approved', 'a1');
      made.events.splice(made.events.indexOf(approved), 1);
      made.events.splice(made.events.indexOf(eventOf(made, 'command.issued', 'c1')) + 1, 0, { ...approved, s: 7 });
    },
  ],
  [
    'start_was_approved',
    'another signature than approval',
    (made) => {
      eventOf(made, 'command.issued', 'c1').data['approvals'] = [{ by: 'cid', at: at(6) }];
    },
  ],
  [
    'starts_once',
    'a command that was begun twice',
    (made) => {
      const intent = recordOf(made, 'intent', 'c1');
      made.journals['web-1']?.splice(made.journals['web-1'].indexOf(intent), 0, { ...intent });
    },
  ],
  [
    'starts_once',
    'a first step that was started twice',
    (made) => {
      const started = recordOf(made, 'started', 'c1');
      made.journals['web-1']?.splice(made.journals['web-1'].indexOf(started), 0, { ...started });
    },
  ],
  [
    'starts_once',
    'a process after the end',
    (made) => {
      made.journals['web-1']?.push({ ...recordOf(made, 'started', 'c1'), step: 2 });
    },
  ],
  [
    'starts_once',
    'a command that ran on two agents',
    (made) => {
      made.journals['web-2'] = records({ command: 'c1', seq: 2, s: 7 });
    },
  ],
  [
    'starts_once',
    'a process that ran twice and told of it',
    (made) => {
      made.processes.push('c1');
    },
  ],
  [
    'starts_once',
    'a process that no journal knows',
    (made) => {
      made.processes.push('c9');
    },
  ],
  [
    'starts_once',
    'an attempt that is told as started twice',
    (made) => {
      const started = eventOf(made, 'action.started', 'a1');
      made.events.splice(made.events.indexOf(started), 0, { ...started });
    },
  ],
  [
    'journal_in_order',
    'a process before its intent',
    (made) => {
      const list = made.journals['web-1'] ?? [];
      const intent = recordOf(made, 'intent', 'c1');
      drop(list, intent);
      list.splice(list.indexOf(recordOf(made, 'started', 'c1')) + 1, 0, intent);
    },
  ],
  [
    'journal_in_order',
    'a damaged record',
    (made) => {
      const { journals } = seal(made);
      const lines = journals[0]?.lines.with(2, '{"sum":"0000000000000000","record":{}}') ?? [];
      return { journals: [{ name: 'web-1', lines }] };
    },
  ],
  [
    'one_at_a_time',
    'a second attempt while the first is out',
    (made) => {
      addRetry(made);
      eventOf(made, 'action.attempt_failed', 'a5').data['command_id'] = 'c0';
      for (const kind of ['exited', 'acknowledged']) drop(made.journals['web-1'], recordOf(made, kind, 'c5'));
    },
  ],
  [
    'one_at_a_time',
    'two that run on one server',
    (made) => {
      const list = made.journals['web-1'] ?? [];
      const exited = recordOf(made, 'exited', 'c2');
      const acknowledged = recordOf(made, 'acknowledged', 'c2');
      drop(list, exited);
      drop(list, acknowledged);
      list.push(exited, acknowledged);
    },
  ],
  [
    'one_at_a_time',
    'a command while another is out',
    (made) => {
      const completed = eventOf(made, 'action.completed', 'a2');
      drop(made.events, completed);
      made.events.splice(made.events.indexOf(eventOf(made, 'action.completed', 'a1')), 0, { ...completed, s: 8 });
    },
  ],
];
