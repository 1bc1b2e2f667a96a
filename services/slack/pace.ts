/** How fast one way to Slack may be used. */
export interface Pace {
  /** Between two messages of a queue, */
  spacingMs: number;
  /** counted from the moment the first was sent, or from Slack's answer to it: then no two arrive closer. */
  countsFrom: 'turn' | 'answer';
  /** At most so many in any window. */
  window: { ms: number; messages: number };
  /** So many may follow each other at once: of those that cannot wait, and of all while the window is nearly empty. */
  burst: { urgent: number; calm: number };
  /** So many of those that cannot wait may go before what is due longer, in any window. */
  hurriesInWindow: number;
  /** Below so many in the window nobody calls it a storm. */
  calmBelow: number;
}

/**
 * How long the next message has to wait, in ms. `sentMs` holds the times of the last ones, oldest first, of one clock
 * with `nowMs`. A burst is lent: the window as a whole is never exceeded.
 */
export function judgePace(
  pace: Pace,
  input: { sentMs: readonly number[]; nowMs: number; isUrgent: boolean },
): { waitMs: number } {
  const { sentMs, nowMs, isUrgent } = input;
  const recent = recentOf(pace, sentMs, nowMs);
  const calm = recent.length < pace.calmBelow ? pace.burst.calm : 1;
  const burst = isUrgent ? Math.max(pace.burst.urgent, calm) : calm;
  const inWindow = recent[recent.length - pace.window.messages];
  const inBurst = recent[recent.length - burst];
  const waits = [
    inWindow === undefined ? 0 : inWindow + pace.window.ms - nowMs,
    inBurst === undefined ? 0 : inBurst + burst * pace.spacingMs - nowMs,
  ];
  return { waitMs: Math.max(0, ...waits) };
}

/** What still counts: all that a later judgement needs. */
export function recentOf(pace: Pace, sentMs: readonly number[], nowMs: number): number[] {
  return sentMs.filter((at) => at > nowMs - pace.window.ms).slice(-pace.window.messages);
}
