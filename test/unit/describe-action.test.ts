import { expect, test } from '@jest/globals';
import { describeActionFully } from '../../cli/describe-action.ts';

const action = { id: 'a', playbook: 'restart-service', server: 'web-1', status: 'executing', failure_code: null };
const since = '2026-11-21T03:12:00.000Z';

test('an action says when it was handed out, and since when or whether nobody knows what became of it', () => {
  expect(describeActionFully(action)).not.toMatch(/handed out|unknown/);
  const silent = describeActionFully({ ...action, handed_out_at: since, unknown_since: since });
  expect(silent).toContain(`handed out   ${since}`);
  expect(silent).toContain(`unknown      since ${since}: nothing is heard of its agent`);
  const ended = describeActionFully({ ...action, status: 'expired', may_have_run: true });
  expect(ended).toMatch(/unknown +how it ended: it was handed out/);
});
