import { setTimeout as wait } from 'node:timers/promises';

/**
 * Asks again until the answer is neither undefined nor false, and returns it. The outside of a separate process can
 * only be looked at, not awaited. Throws with `what` (and what was last seen) after `withinMs`, whose default leaves
 * time for a queue at one Slack post a second.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  input: { withinMs?: number; seen?: () => unknown } = {},
): Promise<T> {
  const deadline = performance.now() + (input.withinMs ?? 45_000);
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) {
      throw new Error(`Waited in vain: ${what}. Last seen: ${JSON.stringify(input.seen?.())}`);
    }
    await wait(100);
  }
}
