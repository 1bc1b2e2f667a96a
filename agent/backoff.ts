const BASE_MS = 1_000;
const CAP_MS = 60_000; // a control plane that is back is found within a minute

export interface Backoff {
  /** Full jitter: anything between nothing and the doubled bound, but never sooner than we were told. */
  nextMs(retryAfterMs?: number): number;
  reset(): void;
}

export function createBackoff({ random = Math.random, baseMs = BASE_MS, capMs = CAP_MS } = {}): Backoff {
  let failures = 0;
  return {
    nextMs(retryAfterMs = 0) {
      const bound = Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
      failures += 1;
      return retryAfterMs + random() * bound;
    },
    reset() {
      failures = 0;
    },
  };
}
