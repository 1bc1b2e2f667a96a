import { CLOCK_TOLERANCE_S } from '../protocol/limits.ts';

/** Where time comes from; tests bring their own. */
export interface TimeSource {
  /** Wall clock, ms since 1970; may step. */
  now(): number;
  /** Monotonic ms from an arbitrary start. */
  monotonic(): number;
}

export const SYSTEM_TIME: TimeSource = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/**
 * What the control plane's clock shows, as far as we know. A `clock_skew` answer sets the offset, however large;
 * an ordinary answer only refines it within the minute that clocks may differ anyway, so that no single answer
 * can move a command's window by more than that.
 */
export interface ControlPlaneClock {
  nowMs(): number;
  iso(): string;
  learnSkew(serverTime: string): void;
  refine(serverTime: string): void;
}

export function createControlPlaneClock(time: TimeSource): ControlPlaneClock {
  let learnedMs = 0;
  let refinedMs = 0;
  const nowMs = (): number => time.now() + learnedMs + refinedMs;
  return {
    nowMs,
    iso: () => new Date(nowMs()).toISOString(),
    learnSkew(serverTime) {
      learnedMs = Date.parse(serverTime) - time.now();
      refinedMs = 0;
    },
    refine(serverTime) {
      const differenceMs = Date.parse(serverTime) - time.now() - learnedMs;
      if (Math.abs(differenceMs) <= CLOCK_TOLERANCE_S * 1000) refinedMs = differenceMs;
    },
  };
}
