import { listReplayedUnder } from '../../db/repositories/dead-letter.repository.ts';
import { InvalidInputError, MedicError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { readRecorded, recordAction } from '../actions/request-action.ts';
import { startWorkflows } from '../actions/start-workflow.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { DeadLetterFilter } from './read-dead-letters.ts';
import { listDeadLetters } from './read-dead-letters.ts';
import type { Replayed, ReplayInput } from './replay.ts';
import { describeReplay, prepareReplay } from './replay.ts';

const DEFAULT_REPLAYS = 10;
const MOST_REPLAYS = 50; // what one answer can tell, and one card of a batch can hold
const LONGEST_REPEAT_MS = 24 * 3_600_000; // as long as a key is kept (services/idempotency.ts)

export interface ManyReplays {
  filter: DeadLetterFilter;
  limit?: number | undefined;
  reason?: string | undefined;
  /** The same key twice takes no more than once: first those that the first took, then what is left of the limit. */
  requestKey?: string | undefined;
}

/** What became of one of many: a new action, or why not. */
export interface ReplayOutcome {
  id: string;
  replayed: Replayed | null;
  error: MedicError | null;
}

/**
 * Replays the latest of those that match, each by itself. An empty filter, and one that matches nothing, is refused as
 * `no_targets`: "all" has to be meant, and said. Waits for no workflow: they are started once all is recorded, and where
 * Temporal is away the pump starts them.
 *
 * Throws InvalidInputError `no_targets`, `invalid_limit`; NotAllowedError `role_missing`.
 */
export async function replayMany(ctx: Context, asker: Asker, input: ManyReplays): Promise<ReplayOutcome[]> {
  authorise(asker, 'dead_letters.settle');
  const targets = await listTargets(ctx, asker, input);
  if (targets.length === 0) throw noTargets('No dead letter matches this.');
  const { reason } = input;
  const outcomes: ReplayOutcome[] = [];
  for (const actionId of targets) {
    const requestKey = input.requestKey === undefined ? undefined : `${input.requestKey}/${actionId}`;
    outcomes.push(await replayOne(ctx, asker, { actionId, reason, requestKey }));
  }
  void startWorkflows(
    ctx,
    outcomes.flatMap(({ replayed }) => replayed?.action.id ?? []),
  );
  return outcomes;
}

/** Their ids: those that were taken under this key already, then the latest that are open, up to the limit together. */
async function listTargets(ctx: Context, asker: Asker, input: ManyReplays): Promise<string[]> {
  const { filter, requestKey, limit = DEFAULT_REPLAYS } = input;
  const isEmpty = Object.values(filter).every((value) => value === undefined || value.trim() === '');
  if (isEmpty) throw noTargets('Say which: by server, playbook or code. A replay of everything is not offered.');
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_REPLAYS) {
    throw new InvalidInputError(`limit must be from 1 to ${MOST_REPLAYS}.`, { code: 'invalid_limit' });
  }
  const taken = requestKey === undefined ? [] : await listTaken(ctx, asker, requestKey);
  const left = limit - taken.length;
  if (left <= 0) return taken;
  const { items } = await listDeadLetters(ctx, asker, { ...filter, limit: left });
  return [...taken, ...items.map(({ id }) => id)];
}

function listTaken(ctx: Context, asker: Asker, requestKey: string): Promise<string[]> {
  return listReplayedUnder(ctx.database, {
    keyPrefix: `${requestKey}/`,
    requestedBy: asker.principal.name,
    since: new Date(Date.now() - LONGEST_REPEAT_MS),
  });
}

async function replayOne(ctx: Context, asker: Asker, input: ReplayInput): Promise<ReplayOutcome> {
  const id = input.actionId;
  try {
    const { old, request } = await prepareReplay(ctx, asker, input);
    const recorded = await recordAction(ctx, asker, request);
    return { id, replayed: describeReplay(old, await readRecorded(ctx, recorded.id)), error: null };
  } catch (error) {
    if (!(error instanceof MedicError)) throw error;
    return { id, replayed: null, error };
  }
}

function noTargets(message: string): InvalidInputError {
  return new InvalidInputError(message, { code: 'no_targets' });
}
