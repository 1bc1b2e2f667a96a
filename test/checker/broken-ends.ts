import { at, onAction, request, seal } from './hand-made-run.ts';
import type { BrokenRun } from './spoil.ts';
import { addLate, addReplay, changeLine, drop, eventOf, recordOf } from './spoil.ts';

/** Each breaks one invariant of the log, of ends and of what became of them, and no other. */
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
    'settled_once',
    'a dead letter that was replayed twice',
    (made) => {
      addReplay(made, { old: 'a5', id: 'a6' });
      addReplay(made, { old: 'a5', id: 'a7' });
    },
  ],
  [
    'settled_once',
    'a dismissal of what was completed',
    (made) => {
      addLate(made, onAction('a1', { s: 14, actor: 'bob', event: 'action.dismissed', data: {} }));
    },
  ],
  [
    'settled_once',
    'a replay that its dead letter does not know',
    (made) => {
      addReplay(made, { old: 'a5', id: 'a6' });
      drop(made.events, eventOf(made, 'action.replayed', 'a5'));
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
