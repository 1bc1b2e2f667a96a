import { CLOCK_TOLERANCE_S } from '../protocol/limits.ts';

const NEAR_MS = (CLOCK_TOLERANCE_S + 1) * 1000; // tokens count in whole seconds: what they do not show is refined

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
 * an ordinary answer only refines it within the minute that clocks may differ anyway and a second more, so that no
 * single answer can move a command's window by more than that.
 */
export interface ControlPlaneClock {
  nowMs(): number;
  iso(): string;
  learnSkew(serverTime: string): void;
  /** False where the clocks differ by more than that: one of them has stepped, and the offset has to be learned anew. */
  refine(serverTime: string): boolean;
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
      const isNear = Math.abs(differenceMs) <= NEAR_MS;
      if (isNear) refinedMs = differenceMs;
      return isNear;
    },
  };
}
