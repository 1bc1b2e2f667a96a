import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RESULT_STATUSES } from '../../domain/lifecycle.ts';
import type { RetryPolicy } from '../../domain/retry.ts';
import { backoffAfter, isTriedAgain } from '../../domain/retry.ts';
import { parsePlaybook } from '../../playbook/parse.ts';

const policy = fc.record<RetryPolicy>({
  attempts: fc.integer({ min: 2, max: 10 }),
  backoffMs: fc.integer({ min: 1_000, max: 60_000 }),
  maxBackoffMs: fc.integer({ min: 60_000, max: 3_600_000 }),
  isIdempotent: fc.boolean(),
});

describe('trying again', () => {
  test('never beyond the number of attempts, and never without a policy', () => {
    const status = fc.constantFrom(...RESULT_STATUSES, 'lost' as const);
    fc.assert(
      fc.property(policy, status, fc.boolean(), (allowed, how, wasStarted) => {
        const end = { status: how, code: null, wasStarted };
        expect(isTriedAgain({ policy: allowed, attempt: allowed.attempts, end })).toBe(false);
        expect(isTriedAgain({ policy: null, attempt: 1, end })).toBe(false);
      }),
    );
  });

  test('waits twice as long each time, between a half and all of it, and never longer than the longest', () => {
    fc.assert(
      fc.property(
        policy,
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (allowed, attempt, random) => {
          const whole = Math.min(allowed.backoffMs * 2 ** (attempt - 1), allowed.maxBackoffMs);
          const waited = backoffAfter({ policy: allowed, attempt, random });
          expect(waited).toBeGreaterThanOrEqual(Math.floor(whole / 2));
          expect(waited).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });
});

describe('`retry` of a playbook', () => {
  const read = (retry: string) =>
    parsePlaybook({
      file: 'p.yaml',
      text: `name: p\ntitle: P\nrisk: low\ntimeout: 10s\nretry: ${retry}\nsteps:\n  - run: [/bin/true]\n`,
    });

  test('is filled with what fits most', () => {
    expect(read('{ attempts: 3 }').playbook?.retry).toEqual({ attempts: 3, backoffMs: 10_000, maxBackoffMs: 300_000 });
    const long = read('{ attempts: 2, backoff: 10m }').playbook?.retry;
    expect(long).toEqual({ attempts: 2, backoffMs: 600_000, maxBackoffMs: 600_000 });
  });

  test.each([
    ['{ attempts: 1 }', 'invalid_value', 'Attempts must be a whole number from 2 to 10, the first one included.'],
    ['{ attempts: 11 }', 'invalid_value', 'Attempts must be a whole number from 2 to 10, the first one included.'],
    ['{ attempts: often }', 'invalid_type', 'Attempts must be a whole number, not "often".'],
    ['{ backoff: 10s }', 'missing_key', 'The key "attempts" is missing in retry.'],
    ['{ attempts: 2, backoff: 0s }', 'invalid_duration', 'Backoff must be between 1s and 1h, not 0s.'],
    [
      '{ attempts: 2, backoff: 1m, max_backoff: 30s }',
      'invalid_duration',
      'max_backoff must not be shorter than backoff.',
    ],
    ['{ attempts: 2, atempts: 3 }', 'unknown_key', '"atempts" is no key of retry. Did you mean "attempts"?'],
    ['3', 'invalid_type', 'Retry must be a map of keys and values, not 3.'],
  ])('%s is a mistake', (retry, code, message) => {
    expect(read(retry).problems).toMatchObject([{ code, message }]);
  });
});
