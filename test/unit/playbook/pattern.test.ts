import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findMaskFault } from '../../../playbook/mask-pattern.ts';
import { compilePattern } from '../../../playbook/pattern.ts';

describe('patterns', () => {
  test.each(['[a-z0-9@._-]{1,64}', '(a|ab)+c?', 'x*y+|z{2,}', '^a.b$', '(?:\\d+\\.)*\\d', 'a{0}b?'])(
    '%s means what RegExp means',
    (pattern) => {
      const compiled = compilePattern(pattern);
      if ('fault' in compiled) throw new Error(compiled.fault);
      const whole = new RegExp(`^(?:${pattern})$`, 'u');
      fc.assert(
        fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z', '1', '.', '\n') }), (value) => {
          expect(compiled.matches(value)).toBe(whole.test(value));
        }),
      );
    },
  );

  test('cannot be made to take for ever', () => {
    const compiled = compilePattern('(a+)+b');
    if ('fault' in compiled) throw new Error(compiled.fault);
    expect(compiled.matches('a'.repeat(1024))).toBe(false);
  });
});

describe('a pattern that is refused', () => {
  test.each([
    ['[', /^is no valid regular expression/],
    ['(?=a)b', /^holds \(\?=/],
    ['(?<!a)b', /^holds \(\?</],
    ['(a)\\1', /^holds \\1/],
    ['\\bword', /^holds \\b/],
    ['a{2001}', /^repeats more than 2000 times/],
    ['(?:a{50}){50}', /^is too large/],
    ['(?:(?:(?:a{20}){20}){20}){20}', /^is too large/],
  ])('%j is told why', (pattern, fault) => {
    expect(compilePattern(pattern)).toEqual({ fault: expect.stringMatching(fault) });
  });
});

describe('a mask', () => {
  test.each(['corp-[0-9a-f]{32}', '(?:key|pin)=\\S+', 'x{3,}', '(?:[a-z]+-){2}[0-9]+', '(?:[a-z]+:)?x', '\\bkey=\\w+'])(
    'may be %j',
    (pattern) => {
      expect(findMaskFault(pattern)).toBeUndefined();
    },
  );

  test.each([
    ['[', /^is no valid regular expression/],
    ['a*', /^matches the empty text/],
    ['(a+)+b', /^repeats a repetition/],
    ['((?:a+))*b', /^repeats a repetition/],
    ['(?:x|a*y){2,}', /^repeats a repetition/],
    ['(?=k)(a+)+b', /^repeats a repetition/],
    ['x'.repeat(501), /^is longer than 500 characters/],
  ])('must not be %j', (pattern, fault) => {
    expect(findMaskFault(pattern)).toMatch(fault);
  });
});
