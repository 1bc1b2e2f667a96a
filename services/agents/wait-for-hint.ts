import { isForMany, WAKE_CHANNEL } from '../../db/announce.ts';
import type { Context } from '../context.ts';

/**
 * own: there may be something for this server. many: something is new to many, this one among them, such as a halt.
 * Null: some hint may have been missed, or the time is up.
 */
export type Hint = 'own' | 'many' | null;

/** `next` before a look, so that a hint given during it is not missed; with the server's tags where they are known. */
export function listenForHints(
  ctx: Pick<Context, 'wakes'>,
  serverId: string,
): { next(tags: readonly string[] | null): Promise<Hint>; stop(): void } {
  let tell: (hint: Hint) => void = () => undefined;
  let known: readonly string[] | null = null;
  const stop = ctx.wakes.listen(WAKE_CHANNEL, (payload) => {
    if (payload === null) tell(null);
    else if (payload === serverId) tell('own');
    else if (isForMany(payload, known)) tell('many');
  });
  return {
    next: (tags) => {
      known = tags;
      return new Promise((resolve) => {
        tell = resolve;
      });
    },
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
