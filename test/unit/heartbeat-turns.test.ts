import { describe, expect, test } from '@jest/globals';
import { createTurns } from '../../services/agents/heartbeat-turns.ts';
import { createReadTogether } from '../../services/read-together.ts';

describe('turns', () => {
  test('are so many at a time, and what is pressing goes before what has time', async () => {
    const turns = createTurns(1);
    const begun: string[] = [];
    const first = Promise.withResolvers<string>();
    const take = (name: string, hasTime: boolean, end: Promise<string> | string = name) =>
      turns.take(
        () => {
          begun.push(name);
          return Promise.resolve(end);
        },
        { hasTime },
      );
    const all = Promise.all([
      take('first', true, first.promise),
      take('patient', true),
      take('pressing', false),
      take('pressing too', false),
    ]);
    expect(begun).toEqual(['first']);
    first.resolve('done');
    expect(await all).toEqual(['done', 'patient', 'pressing', 'pressing too']);
    expect(begun).toEqual(['first', 'pressing', 'pressing too', 'patient']);
    expect(await take('later', true)).toBe('later');
  });

  test('pass on when the work fails', async () => {
    const turns = createTurns(1);
    const failed = turns.take(() => Promise.reject(new Error('no')), { hasTime: false });
    const next = turns.take(() => Promise.resolve('next'), { hasTime: false });
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('next');
  });
});

describe('what is read together', () => {
  test('goes with one question while another is on its way, and each gets its own answer', async () => {
    const asked: (readonly number[])[] = [];
    const read = createReadTogether((keys: readonly number[]) => {
      asked.push(keys);
      return Promise.resolve(keys.map((key) => key * 2));
    });
    expect(await Promise.all([read(1), read(2), read(3), read(2)])).toEqual([2, 4, 6, 4]);
    expect(asked).toEqual([[1], [2, 3, 2]]);
    expect(await read(4)).toBe(8);
  });

  test('fails for those who asked, and not for who asks next', async () => {
    let isAway = true;
    const read = createReadTogether((keys: readonly number[]) =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(keys),
    );
    await expect(read(1)).rejects.toThrow('away');
    isAway = false;
    expect(await read(1)).toBe(1);
  });
});
