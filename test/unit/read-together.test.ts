import { describe, expect, test } from '@jest/globals';
import { createReadTogether } from '../../services/read-together.ts';

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

  test('does not wait for a question that hangs', async () => {
    const hanging = Promise.withResolvers<readonly number[]>();
    const read = createReadTogether(
      (keys: readonly number[]) => (keys.includes(1) ? hanging.promise : Promise.resolve(keys)),
      10,
    );
    const first = read(1);
    expect(await read(2)).toBe(2);
    hanging.resolve([1]);
    expect(await first).toBe(1);
  });
});
