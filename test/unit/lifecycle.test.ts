import { describe, expect, test } from '@jest/globals';
import { END_STATES, endOfResult, isEnded } from '../../domain/lifecycle.ts';
import { isServerOffline, serverStatus } from '../../domain/liveness.ts';
import { findNearestWord } from '../../domain/nearest-word.ts';

describe('what a result makes of its action', () => {
  test.each([
    [{ status: 'completed' as const }, { status: 'completed', failureCode: null }],
    [{ status: 'failed' as const }, { status: 'failed', failureCode: 'exit_nonzero' }],
    [{ status: 'timed_out' as const }, { status: 'failed', failureCode: 'timed_out' }],
    [{ status: 'interrupted' as const }, { status: 'failed', failureCode: 'interrupted' }],
    [{ status: 'cancelled' as const }, { status: 'cancelled', failureCode: null }],
    [
      { status: 'cancelled' as const, code: 'cancel_unconfirmed' },
      { status: 'failed', failureCode: 'cancel_unconfirmed' },
    ],
    [
      { status: 'refused' as const, code: 'halted' },
      { status: 'failed', failureCode: 'halted' },
    ],
  ])('%j ends it as %j', (result, end) => {
    expect(endOfResult(result)).toEqual(end);
  });

  test.each(['bad_signature', 'wrong_server', 'outside_window'])('a refusal for %s ends nothing', (code) => {
    expect(endOfResult({ status: 'refused', code })).toBeNull();
  });

  test('every end state has ended, and no other has', () => {
    expect(END_STATES.every(isEnded)).toBe(true);
    expect((['pending', 'approved', 'executing'] as const).some(isEnded)).toBe(false);
  });
});

describe('a server', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  const seen = (secondsAgo: number) => ({
    last_seen_at: new Date(now.getTime() - secondsAgo * 1000),
    heartbeat_interval_s: 60,
  });

  test('is offline once three intervals have passed in silence', () => {
    expect(serverStatus(seen(180), now)).toBe('online');
    expect(serverStatus(seen(181), now)).toBe('offline');
    expect(serverStatus({ last_seen_at: null, heartbeat_interval_s: 60 }, now)).toBe('never_seen');
    expect(isServerOffline({ last_seen_at: null, heartbeat_interval_s: 60 }, now)).toBe(true);
  });
});

describe('the nearest word', () => {
  test.each([
    ['restart_service', 'restart-service'],
    ['restrat-service', 'restart-service'],
    ['cleer-logs', 'clear-logs'],
  ])('of %s is %s', (typed, wanted) => {
    expect(findNearestWord(typed, ['clear-logs', 'restart-service', 'check-service'])).toBe(wanted);
  });

  test('is none where nothing is near', () => {
    expect(findNearestWord('xyzzy', ['clear-logs', 'restart-service'])).toBeUndefined();
  });
});
