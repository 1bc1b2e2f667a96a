import type { Asker } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { withIdempotency } from '../idempotency.ts';
import type { ManyReplays, ReplayOutcome } from './replay-many.ts';
import { replayMany } from './replay-many.ts';

/** What became of one of many, as it is told and kept. */
export interface ToldReplay {
  /** The dead letter's id. */
  id: string;
  /** The new action's id; null where there is none. */
  replayedAs: string | null;
  sentence: string;
}

/**
 * `replayMany` for what may come twice under one key: a second time would take the next ones, so it is answered with what
 * the first made. Throws what `replayMany` and `withIdempotency` throw.
 */
export async function replayManyOnce(
  ctx: Context,
  asker: Asker,
  input: ManyReplays & { requestKey: string },
): Promise<ToldReplay[]> {
  const { requestKey: key, ...wanted } = input;
  const outcome = await withIdempotency<ToldReplay[]>(ctx, {
    principal: asker.principal.name,
    method: 'SLACK',
    path: 'replay-many',
    key,
    body: wanted,
    run: async (requestKey) => (await replayMany(ctx, asker, { ...wanted, requestKey })).map(tell),
    keep: (told) => told,
  });
  return outcome.isRepeat ? (outcome.answer as ToldReplay[]) : outcome.answer;
}

function tell({ id, replayed, error }: ReplayOutcome): ToldReplay {
  return { id, replayedAs: replayed?.action.id ?? null, sentence: replayed?.sentence ?? error?.message ?? '' };
}
