import { describe, expect, test } from '@jest/globals';
import { isDatabaseAway, isGuardViolation } from '../../db/errors.ts';

describe('errors of the database', () => {
  test('name the guard that refused, however deep it is wrapped', () => {
    const guard = Object.assign(new Error('ended'), { constraint: 'action_ended' });
    expect(isGuardViolation(guard)).toBe('action_ended');
    expect(isGuardViolation(new Error('outer', { cause: new Error('inner', { cause: guard }) }))).toBe('action_ended');
  });

  test.each([null, undefined, 'text', new Error('other'), { constraint: 'toString' }, { constraint: 'servers_pkey' }])(
    'name none for %p',
    (error) => {
      expect(isGuardViolation(error)).toBeNull();
    },
  );

  test.each(['ECONNREFUSED', '57P01', '08006', '53100', '53300', '25P03'])(
    'tell by %s that the database is away',
    (code) => {
      expect(isDatabaseAway(new Error('x', { cause: Object.assign(new Error('y'), { code }) }))).toBe(true);
      expect(isDatabaseAway(new AggregateError([Object.assign(new Error('y'), { code })]))).toBe(true);
    },
  );

  test('tell a refusal from an outage', () => {
    expect(isDatabaseAway(Object.assign(new Error('x'), { code: '23514' }))).toBe(false);
    expect(isDatabaseAway(null)).toBe(false);
  });
});
