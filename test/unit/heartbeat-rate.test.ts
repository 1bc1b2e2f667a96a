import { describe, expect, test } from '@jest/globals';
import { createHeartbeatRate } from '../../services/agents/heartbeat-rate.ts';

describe('the rate of heartbeats', () => {
  let nowMs = 0;
  const call = (rate: ReturnType<typeof createHeartbeatRate>, serverId = 'a'): boolean | number => {
    try {
      rate.take({ serverId, perMinute: 60 });
      return true;
    } catch (error) {
      return Number((error as { details: { retry_after_s: number } }).details.retry_after_s);
    }
  };

  test('lets a minute’s worth come at once, then one a share of it, and counts each server alone', () => {
    const rate = createHeartbeatRate(() => nowMs);
    for (let calls = 0; calls < 60; calls++) expect(call(rate)).toBe(true);
    expect(call(rate)).toBe(1);
    expect(call(rate, 'b')).toBe(true);
    nowMs += 1_000;
    expect([call(rate), call(rate)]).toEqual([true, 1]);
    nowMs += 3_600_000; // idle for an hour saves up no more than a minute’s worth
    for (let calls = 0; calls < 60; calls++) expect(call(rate)).toBe(true);
    expect(call(rate)).toBe(1);
  });

  test('is never shut for good by calls that were refused', () => {
    const rate = createHeartbeatRate(() => nowMs);
    let taken = 0;
    for (let calls = 0; calls < 6_000; calls++) {
      nowMs += 10; // a hundred a second
      taken += call(rate) === true ? 1 : 0;
    }
    expect(taken).toBeGreaterThanOrEqual(119); // the first 60, and 60 in that minute
    expect(taken).toBeLessThanOrEqual(121);
  });
});
