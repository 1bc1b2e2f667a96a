import { setTimeout as wait } from 'node:timers/promises';

/** At most `perSecond` on average, with bursts of `burst`; `take` waits for its turn, first come first served. */
export interface Pace {
  take(signal: AbortSignal): Promise<void>;
}

export function createPace(limit: { perSecond: number; burst: number }): Pace {
  let left = limit.burst;
  let at = performance.now();
  return {
    take: async (signal) => {
      const now = performance.now();
      left = Math.min(limit.burst, left + ((now - at) / 1000) * limit.perSecond) - 1;
      at = now;
      if (left < 0) await wait((-left / limit.perSecond) * 1000, undefined, { signal });
    },
  };
}
