import type { Context } from '../context.ts';
import { goRound } from '../go-round.ts';
import { signNextCheckpoint } from './sign-checkpoint.ts';
import { tellGrowth } from './tell-growth.ts';

const PERIOD_MS = 2_000;
const BROKEN_PERIOD_MS = 60_000; // that the log is broken is logged every minute, not every round

/**
 * Keeps checkpoints coming, until stopped, in a process that has the signing key. Waits for nothing at its stop but the
 * round under way. What fails is logged and tried again.
 */
export function startCheckpointer(
  ctx: Context,
  { periodMs = PERIOD_MS }: { periodMs?: number } = {},
): { stop(): Promise<void> } {
  let restsUntil = 0;
  const round = async (): Promise<void> => {
    try {
      if (performance.now() >= restsUntil && (await signNextCheckpoint(ctx)) === 'broken') {
        restsUntil = performance.now() + BROKEN_PERIOD_MS;
      }
      await tellGrowth(ctx);
    } catch (error) {
      ctx.log.warn({ err: error }, 'no checkpoint could be made; it is tried again');
    }
  };
  const stop = goRound(round, periodMs);
  return { stop };
}
