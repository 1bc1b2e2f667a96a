import type { Asker } from '../../domain/principal.ts';
import type { ActionQuery } from '../actions/read-actions.ts';
import { listActions } from '../actions/read-actions.ts';
import type { ActionView } from '../actions/action-view.ts';
import type { Context } from '../context.ts';

export interface DeadLetterFilter {
  server?: string | undefined;
  playbook?: string | undefined;
  /** Its failure code. */
  code?: string | undefined;
}

/** Open ones, the latest request first. An automation sees those that it requested. */
export function listDeadLetters(
  ctx: Context,
  asker: Asker,
  query: DeadLetterFilter & Pick<ActionQuery, 'limit' | 'after'>,
): Promise<{ items: ActionView[]; next: string | null }> {
  const { code: failureCode, ...rest } = query;
  return listActions(ctx, asker, { ...rest, failureCode, isDeadLetter: true });
}
