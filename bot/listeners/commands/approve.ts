import { decideAction } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { CommandListener } from './command.ts';

export const approve: CommandListener = async ({ deps, asker, word, reason, triggerId, userId }) => {
  const decisionId = createDecisionId({ triggerId, userId, kind: 'approve', actionId: word });
  const outcome = await decideAction(deps.ctx, asker, { actionId: word, kind: 'approve', reason, decisionId });
  return createAnswer(outcome.sentence);
};
