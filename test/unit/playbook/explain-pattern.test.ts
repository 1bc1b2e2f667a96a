import { describe, expect, test } from '@jest/globals';
import { explainPattern } from '../../../playbook/explain-pattern.ts';

describe('a pattern in words', () => {
  test.each([
    ['[a-z0-9@._-]{1,64}', '1 to 64 characters of a–z 0–9 @ . _ -'],
    ['^[A-Za-z0-9@._:-]{1,128}$', '1 to 128 characters of A–Z a–z 0–9 @ . _ : -'],
    ['[ab]{1}\\d{1}', 'a b, then 0–9'],
    ['\\d{4}', '4 characters of 0–9'],
    ['\\w+', '1 or more characters of a–z A–Z 0–9 _'],
    ['v\\d+\\.\\d+', '“v”, then 1 or more characters of 0–9, then “.”, then 1 or more characters of 0–9'],
    ['nginx|haproxy', '“nginx”, or “haproxy”'],
    ['web-?[0-9]*', '“web”, then perhaps “-”, then 0 or more characters of 0–9'],
    ['[\\w. -]{2}', '2 characters of a–z A–Z 0–9 _ . space -'],
  ])('%s', (pattern, words) => {
    expect(explainPattern(pattern)).toBe(words);
  });

  test.each(['[^/]+', '(a|b){2,3}', 'a(?=b)', '\\s+', '', 'a$b', '[a-z][0-9][a-z][0-9][a-z][0-9][a-z]'])(
    'is left as it is where words would say less: %s',
    (pattern) => {
      expect(explainPattern(pattern)).toBeUndefined();
    },
  );
});
