import * as z from 'zod';
import type { ReplayOutcome } from '../../../services/dead-letters/replay-many.ts';
import type { Replayed } from '../../../services/dead-letters/replay.ts';
import { pageQuery, textOrNull } from '../../schemas.ts';
import { actionJson, toActionJson } from '../actions/schemas.ts';

const filter = {
  server: z.string().max(128).optional(),
  playbook: z.string().max(128).optional(),
  code: z.string().max(64).optional().describe('The failure code.'),
};

export const deadLetterQuery = pageQuery.extend(filter);
export const replayBody = z.strictObject({ reason: z.string().optional() });
export const replayManyBody = z.strictObject({
  ...filter,
  limit: z.number().int().optional().describe('How many at most, of the latest: 10 unless told, never more than 50.'),
  reason: z.string().optional(),
});
export const dismissBody = z.strictObject({ reason: z.string() });

export const replayJson = actionJson.extend({ sentence: z.string() });
export const replayManyJson = z.object({
  items: z.array(
    z.object({
      id: z.string().describe('The dead letter.'),
      replayed_as: textOrNull.describe('The new action; null where there is none.'),
      replay_changed: z.boolean(),
      code: textOrNull.describe('Why it was not replayed.'),
      sentence: z.string(),
    }),
  ),
});

export function toReplayJson({ action, sentence }: Replayed): z.infer<typeof replayJson> {
  return { ...toActionJson(action), sentence };
}

export function toReplayManyJson(outcomes: readonly ReplayOutcome[]): z.infer<typeof replayManyJson> {
  const items = outcomes.map(({ id, replayed, error }) => ({
    id,
    replayed_as: replayed?.action.id ?? null,
    replay_changed: replayed?.action.isReplayChanged ?? false,
    code: error?.code ?? null,
    sentence: replayed?.sentence ?? error?.message ?? '',
  }));
  return { items };
}
