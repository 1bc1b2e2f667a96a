import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDurationMs } from '../../../domain/duration.ts';

describe('a duration', () => {
  test.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['90m', 5_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['500ms', 500],
    ['5m5ms', 300_005],
    ['0s', 0],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(['', '30', 's', '1.5h', '-1s', '1 m', '30S', '1s1m', '1m1m', '1w', '٣s', '9999999999s', '30s\n'])(
    '%j is none',
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );

  test('is read back as it was written', () => {
    const property = fc.property(fc.nat({ max: 86_400_000_000 }), (ms) => parseDurationMs(formatDuration(ms)) === ms);
    fc.assert(property);
    expect(formatDuration(0)).toBe('0s');
    expect(formatDuration(5_400_000)).toBe('1h30m');
  });
});
