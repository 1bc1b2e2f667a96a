import { cancelAction } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { ClickListener } from './click.ts';

export const cancelClicked: ClickListener = async ({ deps, asker, userId, actionId, triggerId, onRecorded }) => {
  const decisionId = createDecisionId({ triggerId, userId, kind: 'cancel', actionId });
  const outcome = await cancelAction(deps.ctx, asker, { actionId, decisionId, onRecorded });
  return createAnswer(outcome.sentence);
};
