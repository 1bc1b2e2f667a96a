import { ALL_SERVERS, WAKE_CHANNEL } from '../../db/announce.ts';
import type { Context } from '../context.ts';

/** A server's id, ALL_SERVERS, or null: some hint may have been missed, or the time is up. */
export type Hint = string | null;

/** `next()` before a look, so that a hint given during it is not missed. */
export function listenForHints(ctx: Context, serverId: string): { next(): Promise<Hint>; stop(): void } {
  let tell: (hint: Hint) => void = () => undefined;
  const stop = ctx.wakes.listen(WAKE_CHANNEL, (payload) => {
    if (payload === null || payload === serverId || payload === ALL_SERVERS) tell(payload);
  });
  return {
    next: () =>
      new Promise((resolve) => {
        tell = resolve;
      }),
    stop,
  };
}

/** The hint that ended the wait; null where the time was up or `signal` ended it. */
export async function waitFor(
  hinted: Promise<Hint>,
  { ms, signal }: { ms: number; signal: AbortSignal },
): Promise<Hint> {
  const end = new AbortController();
  const stopped = new Promise<null>((resolve) => {
    const timer = setTimeout(resolve, ms, null);
    const done = (): void => {
      clearTimeout(timer);
      resolve(null);
    };
    signal.addEventListener('abort', done, { signal: end.signal });
    end.signal.addEventListener('abort', done, { once: true });
  });
  const hint = await Promise.race([hinted, stopped]);
  end.abort();
  return hint;
}
