import { expect, test } from '@jest/globals';
import { readReason } from '../../services/actions/reason.ts';
import { describeError } from '../../services/slack/describe-error.ts';

test('a database that is away leaves open whether anything was recorded, as it may have been', () => {
  const { sentence, isExpected } = describeError(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
  expect(sentence).toBe('The database is away, and whether this was recorded is not known: look before you try again.');
  expect(isExpected).toBe(false);
});

test.each(['a\0b', 'a\ud800', '\udc00'])('the reason %j is text that nobody stores', (reason) => {
  expect(() => readReason(reason)).toThrow(expect.objectContaining({ code: 'invalid_text' }));
});

test('a reason with a whole pair is kept', () => {
  expect(readReason(' it burns \ud83d\udd25 ')).toBe('it burns \u{1f525}');
});
