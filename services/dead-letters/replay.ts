import { InvalidInputError, MedicError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { authorise } from '../authorise.ts';
import type { ActionView } from '../actions/action-view.ts';
import { getAction } from '../actions/read-actions.ts';
import { requestAction } from '../actions/request-action.ts';
import type { Context } from '../context.ts';
import { notADeadLetter } from './not-a-dead-letter.ts';
import type { DeadLetterFilter } from './read-dead-letters.ts';
import { listDeadLetters } from './read-dead-letters.ts';

const DEFAULT_REPLAYS = 10;
const MOST_REPLAYS = 50; // what one answer can tell, and one card of a batch can hold

export interface ReplayInput {
  /** The dead letter's id. */
  actionId: string;
  /** Default: the reason of the first request. */
  reason?: string | undefined;
  requestKey?: string | undefined;
}

export interface Replayed {
  /** The new action. */
  action: ActionView;
  /** For the person who asked; says so where the playbook is another one by now. */
  sentence: string;
}

/**
 * Asks for the same again: a new action, with what it needs by today's rules, linked to the old one. An approval of the
 * old one counts for nothing.
 *
 * Throws NotAllowedError `role_missing`; `action_not_found`; ConflictError `not_a_dead_letter`; all that requestAction throws, `unknown_playbook` where
 * the playbook is gone.
 */
export async function replayAction(ctx: Context, asker: Asker, input: ReplayInput): Promise<Replayed> {
  authorise(asker, 'dead_letters.settle');
  const old = await getAction(ctx, asker, input.actionId);
  const mayBeRepeat = input.requestKey !== undefined && old.deadLetter === 'replayed'; // its key tells below
  if (old.deadLetter !== 'open' && !mayBeRepeat) throw notADeadLetter(old);
  const { maxTimeoutMs } = findPlaybook(ctx.config.current(), old.playbook);
  const action = await requestAction(ctx, asker, {
    server: old.server,
    playbook: old.playbook,
    params: old.params,
    reason: input.reason ?? old.reason ?? undefined,
    alertId: old.alertId ?? undefined,
    timeoutS: Math.min(old.timeoutS, maxTimeoutMs / 1000),
    requestKey: input.requestKey,
    replayOf: old,
  });
  return { action, sentence: describe(old, action) };
}

function describe(old: ActionView, action: ActionView): string {
  const changed = action.isReplayChanged ? ' Its playbook has changed since: look at what would run.' : '';
  const waits = action.approvalsRequired === 0 ? "needs nobody's approval" : 'waits for a new approval';
  return `${old.playbook} on ${old.server} is asked for again; it ${waits}.${changed}`;
}

/** What became of one of many: a new action, or why not. */
export interface ReplayOutcome {
  id: string;
  replayed: Replayed | null;
  error: MedicError | null;
}

/**
 * Replays the latest of those that match, each by itself. An empty filter, and one that matches nothing, is refused as
 * `no_targets`: "all" has to be meant, and said.
 *
 * Throws InvalidInputError `no_targets`, `invalid_limit`; NotAllowedError `role_missing`.
 */
export async function replayMany(
  ctx: Context,
  asker: Asker,
  input: { filter: DeadLetterFilter; limit?: number | undefined; reason?: string | undefined },
): Promise<ReplayOutcome[]> {
  const { filter, reason, limit = DEFAULT_REPLAYS } = input;
  authorise(asker, 'dead_letters.settle');
  const isEmpty = Object.values(filter).every((value) => value === undefined || value.trim() === '');
  if (isEmpty) throw noTargets('Say which: by server, playbook or code. A replay of everything is not offered.');
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_REPLAYS) {
    throw new InvalidInputError(`limit must be from 1 to ${MOST_REPLAYS}.`, { code: 'invalid_limit' });
  }
  const { items } = await listDeadLetters(ctx, asker, { ...filter, limit });
  if (items.length === 0) throw noTargets('No dead letter matches this.');
  const outcomes: ReplayOutcome[] = [];
  for (const { id } of items) outcomes.push(await replayOne(ctx, asker, { actionId: id, reason }));
  return outcomes;
}

async function replayOne(ctx: Context, asker: Asker, input: ReplayInput): Promise<ReplayOutcome> {
  const id = input.actionId;
  try {
    return { id, replayed: await replayAction(ctx, asker, input), error: null };
  } catch (error) {
    if (!(error instanceof MedicError)) throw error;
    return { id, replayed: null, error };
  }
}

function noTargets(message: string): InvalidInputError {
  return new InvalidInputError(message, { code: 'no_targets' });
}
