/** Numbers that come again with the same seed. */
export interface Dice {
  /** From 0 up to, not including, `below`. */
  roll(below: number): number;
  pick<T>(items: readonly T[]): T;
  /** True in one of so many cases. */
  oneIn(cases: number): boolean;
}

/** mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const roll = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  return {
    roll,
    pick: (items) => {
      if (items.length === 0) throw new Error('there is nothing to pick from');
      return items[roll(items.length)] as (typeof items)[number];
    },
    oneIn: (cases) => roll(cases) === 0,
  };
}
