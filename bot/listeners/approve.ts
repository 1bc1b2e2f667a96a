import { MedicError } from '../../domain/errors.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { createAnswer } from '../blocks/answer.ts';
import type { Message } from '../blocks/message.ts';
import { createDecisionId } from '../decision-id.ts';
import type { Click } from './actions/click.ts';
import { openDecisionForm } from './actions/open-decision-form.ts';

/** Told first of every approval that has to carry more than a click; nothing was decided then. */
const WANTS_FORM = 'confirm_server_missing';

/** Approves at once, or opens the form where the action's risk asks for more. */
export async function approveOrAsk(click: Click, reason?: string): Promise<Message | null> {
  const { deps, asker, userId, actionId, triggerId, onRecorded } = click;
  const decisionId = createDecisionId({ triggerId, userId, kind: 'approve', actionId });
  try {
    const outcome = await decideAction(deps.ctx, asker, { actionId, kind: 'approve', reason, decisionId, onRecorded });
    return createAnswer(outcome.sentence);
  } catch (error) {
    if (!(error instanceof MedicError) || error.code !== WANTS_FORM) throw error;
    return openDecisionForm(click, 'confirm');
  }
}
