import type { Asker } from '../../domain/principal.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { authorise } from '../authorise.ts';
import type { ActionView } from '../actions/action-view.ts';
import { getAction } from '../actions/read-actions.ts';
import type { ActionRequest } from '../actions/request-action.ts';
import { requestAction } from '../actions/request-action.ts';
import type { Context } from '../context.ts';
import { notADeadLetter } from './not-a-dead-letter.ts';

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
  const { old, request } = await prepareReplay(ctx, asker, input);
  return describeReplay(old, await requestAction(ctx, asker, request));
}

/** The dead letter, and what asks for it again. Throws what `replayAction` throws before it records anything. */
export async function prepareReplay(
  ctx: Context,
  asker: Asker,
  input: ReplayInput,
): Promise<{ old: ActionView; request: ActionRequest }> {
  authorise(asker, 'dead_letters.settle');
  const old = await getAction(ctx, asker, input.actionId);
  const mayBeRepeat = input.requestKey !== undefined && old.deadLetter === 'replayed'; // its key tells later
  if (old.deadLetter !== 'open' && !mayBeRepeat) throw notADeadLetter(old);
  const { maxTimeoutMs } = findPlaybook(ctx.config.current(), old.playbook);
  const request: ActionRequest = {
    server: old.server,
    playbook: old.playbook,
    params: old.params,
    reason: input.reason ?? old.reason ?? undefined,
    alertId: old.alertId ?? undefined,
    timeoutS: Math.min(old.timeoutS, maxTimeoutMs / 1000),
    requestKey: input.requestKey,
    replayOf: old,
  };
  return { old, request };
}

export function describeReplay(old: ActionView, action: ActionView): Replayed {
  const changed = action.isReplayChanged ? ' Its playbook has changed since: look at what would run.' : '';
  const waits = action.approvalsRequired === 0 ? "needs nobody's approval" : 'waits for a new approval';
  return { action, sentence: `${old.playbook} on ${old.server} is asked for again; it ${waits}.${changed}` };
}
