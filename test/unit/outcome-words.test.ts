import { expect, test } from '@jest/globals';
import { describeFailure } from '../../domain/outcome-words.ts';

test('a code that nobody knows is told as it is, also where every object has a property of that name', () => {
  expect(describeFailure({ failureCode: 'timed_out' })).toBe('it ran too long and was stopped');
  for (const code of ['of_tomorrow', 'constructor', 'toString', '__proto__'])
    expect(describeFailure({ failureCode: code })).toBe(`the reason is "${code}"`);
});

test('what kept it from its start is no word that it never started, where it had been handed out or ran before', () => {
  const failureCode = 'agent_offline';
  expect(describeFailure({ failureCode })).toBe('the agent was offline, so it was never started');
  expect(describeFailure({ failureCode, mayHaveRun: true })).toMatch(/^the agent was offline; .*it may have run$/);
  expect(describeFailure({ failureCode, executedAt: new Date() })).toBe(
    'the agent was offline, so it did not run again',
  );
  for (const code of [null, 'queue_timeout'])
    expect(describeFailure({ failureCode: code, mayHaveRun: true })).toMatch(/^it had been handed .*it may have run$/);
  const lost = { failureCode: 'agent_lost' };
  expect(describeFailure({ ...lost, mayHaveRun: true })).toBe(describeFailure(lost));
});
