import type { ResultStatus } from './lifecycle.ts';

/** How often and how soon an action is tried again. Fixed with the request, as all that it needs. */
export interface RetryPolicy {
  /** In all, the first one included. */
  attempts: number;
  backoffMs: number;
  maxBackoffMs: number;
  /** A second run does no harm, so it is also tried again where the first may have run. */
  isIdempotent: boolean;
}

/** How one attempt ended, as far as it is known here; `lost`: its agent was not heard of in time. */
export interface AttemptEnd {
  status: ResultStatus | 'lost';
  code: string | null;
  /** Its agent told of a process that was started. */
  wasStarted: boolean;
}

/**
 * `not_started`: it is known that no process of it ran. `may_have_run`: a part of it, or all, may have. `final`: trying
 * again could not help, is not wanted, or could run beside what is left of it.
 */
export type AttemptTrace = 'not_started' | 'may_have_run' | 'final';

/** Refusals of this moment; what speaks against a command by itself speaks against the next one too. */
const REFUSALS_FOR_NOW: readonly string[] = ['refused_disk', 'stale_seq'];

/** The table of docs/error-handling.md, "Attempts": what an end says about a start. */
export function traceOf(end: AttemptEnd): AttemptTrace {
  switch (end.status) {
    case 'completed':
    case 'cancelled':
      return 'final';
    case 'refused':
      return REFUSALS_FOR_NOW.includes(end.code ?? '') ? 'not_started' : 'final';
    case 'failed':
      return end.wasStarted ? 'may_have_run' : 'not_started';
    case 'timed_out':
    case 'interrupted':
      return end.code === 'kill_unconfirmed' ? 'final' : 'may_have_run';
    case 'lost':
      return 'may_have_run';
  }
}

/** Whether attempt `attempt`, which ended so, is followed by another one. */
export function isTriedAgain(input: { policy: RetryPolicy | null; attempt: number; end: AttemptEnd }): boolean {
  const { policy, attempt, end } = input;
  if (policy === null || attempt >= policy.attempts) return false;
  const trace = traceOf(end);
  return trace === 'not_started' || (trace === 'may_have_run' && policy.isIdempotent);
}

/**
 * How long to wait after attempt `attempt`: twice as long each time up to the longest, of that between a half and all,
 * so that many servers which failed together do not come back together. `random` is from 0 up to 1.
 */
export function backoffAfter(input: { policy: RetryPolicy; attempt: number; random: number }): number {
  const { policy, attempt, random } = input;
  const wholeMs = Math.min(policy.backoffMs * 2 ** (attempt - 1), policy.maxBackoffMs);
  return Math.round(wholeMs / 2 + (random * wholeMs) / 2);
}
