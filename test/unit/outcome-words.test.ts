import { expect, test } from '@jest/globals';
import { describeFailure } from '../../domain/outcome-words.ts';

test('a code that nobody knows is told as it is, also where every object has a property of that name', () => {
  expect(describeFailure('timed_out')).toBe('it ran too long and was stopped');
  for (const code of ['of_tomorrow', 'constructor', 'toString', '__proto__'])
    expect(describeFailure(code)).toBe(`the reason is "${code}"`);
});
