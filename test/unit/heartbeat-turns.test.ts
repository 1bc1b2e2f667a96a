import { describe, expect, test } from '@jest/globals';
import { createTurns } from '../../services/agents/heartbeat-turns.ts';

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
