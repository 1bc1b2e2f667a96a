import type { ModalView } from '@slack/types';
import type { BotDeps } from '../deps.ts';

const turns = new Map<string, Promise<void>>();

/** Changes of one form happen one after another, in the order in which they came to this process. */
export async function inTurn(viewId: string, work: () => Promise<void>): Promise<void> {
  const turn = (turns.get(viewId) ?? Promise.resolve()).then(work);
  const settled = turn.catch(() => undefined);
  turns.set(viewId, settled);
  try {
    await turn;
  } finally {
    if (turns.get(viewId) === settled) turns.delete(viewId);
  }
}

/** Draws a form anew. Never rejects: a form that was closed meanwhile needs nothing more. */
export async function updateView(deps: BotDeps, viewId: string, view: ModalView): Promise<void> {
  try {
    await deps.client.views.update({ view_id: viewId, view });
  } catch (error) {
    deps.log.info({ err: error, view: viewId }, 'a form could not be drawn anew');
  }
}
