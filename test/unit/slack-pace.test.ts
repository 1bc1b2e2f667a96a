import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLanes } from '../../bot/outbox/lanes.ts';
import type { Pace } from '../../services/slack/pace.ts';
import { judgePace, recentOf } from '../../services/slack/pace.ts';

const [updates, posts] = createLanes('C0MEDIC').map(({ pace }) => pace) as [Pace, Pace];

/** When each message is sent, if `arrivals` are due at those times and each is sent as soon as it may be. */
function play(pace: Pace, arrivals: readonly { atMs: number; isUrgent: boolean }[]): number[] {
  let nowMs = 0;
  const sent: number[] = [];
  for (const { atMs, isUrgent } of arrivals) {
    nowMs = Math.max(nowMs, atMs);
    nowMs += judgePace(pace, { sentMs: recentOf(pace, sent, nowMs), nowMs, isUrgent }).waitMs;
    sent.push(nowMs);
  }
  return sent;
}

const mostInAMinute = (sent: readonly number[]): number =>
  Math.max(0, ...sent.map((at) => sent.filter((other) => other >= at && other < at + 60_000 - 1e-6).length));

const storm = (count: number) => Array.from({ length: count }, () => ({ atMs: 0, isUrgent: false }));

describe('the pace of edits', () => {
  test('is at most 45 in any minute, whatever arrives when', () => {
    const arrival = fc.record({ gapMs: fc.integer({ min: 0, max: 4_000 }), isUrgent: fc.boolean() });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 200 }), (list) => {
        let atMs = 0;
        const arrivals = list.map(({ gapMs, isUrgent }) => ({ atMs: (atMs += gapMs), isUrgent }));
        expect(mostInAMinute(play(updates, arrivals))).toBeLessThanOrEqual(45);
      }),
      { numRuns: 200 },
    );
  });

  test('brings 250 of them through in the time that 250 take', () => {
    const sent = play(updates, storm(250));
    expect(sent.at(-1)).toBeLessThanOrEqual(250 * updates.spacingMs);
  });

  test('lets a decision go at once while it is calm, and within two turns in a storm', () => {
    const calm = play(
      updates,
      [1, 2, 3].map((atMs) => ({ atMs, isUrgent: true })),
    );
    expect(calm).toEqual([1, 2, 3]);
    const sent = play(updates, storm(200));
    for (const nowMs of [90_500, 120_000, 200_123]) {
      const before = sent.filter((at) => at <= nowMs);
      const { waitMs } = judgePace(updates, { sentMs: before, nowMs, isUrgent: true });
      expect(waitMs).toBeLessThanOrEqual(2 * updates.spacingMs);
    }
  });
});

test('posts are a second apart, urgent or not', () => {
  const sent = play(
    posts,
    Array.from({ length: 50 }, (_, index) => ({ atMs: 0, isUrgent: index % 2 === 0 })),
  );
  const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
});
