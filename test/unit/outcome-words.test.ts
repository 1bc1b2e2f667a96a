import { expect, test } from '@jest/globals';
import { describeFailure } from '../../domain/outcome-words.ts';

test('a code that nobody knows is told as it is, also where every object has a property of that name', () => {
  expect(describeFailure('timed_out')).toBe('it ran too long and was stopped');
  for (const code of ['of_tomorrow', 'constructor', 'toString', '__proto__'])
    expect(describeFailure(code)).toBe(`the reason is "${code}"`);
});

test('what kept it from its start is no word that it never started, where it had been handed out', () => {
  expect(describeFailure('agent_offline')).toBe('the agent was offline, so it was never started');
  const heard = describeFailure('agent_offline', true);
  expect(heard).toMatch(/^the agent was offline; .*it may have run$/);
  expect(describeFailure(null, true)).toMatch(/it may have run$/);
  expect(describeFailure('agent_lost', true)).toBe(describeFailure('agent_lost'));
});
