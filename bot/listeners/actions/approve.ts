import { decideAction } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { ClickListener } from './click.ts';

export const approveClicked: ClickListener = async ({ deps, asker, userId, actionId, triggerId }) => {
  const decisionId = createDecisionId({ triggerId, userId, kind: 'approve', actionId });
  const outcome = await decideAction(deps.ctx, asker, { actionId, kind: 'approve', decisionId });
  return createAnswer(outcome.sentence);
};
