import { cancelAction } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { CommandListener } from './command.ts';

export const cancel: CommandListener = async ({ deps, asker, word, reason, triggerId, userId, onRecorded }) => {
  const decisionId = createDecisionId({ triggerId, userId, kind: 'cancel', actionId: word });
  const outcome = await cancelAction(deps.ctx, asker, { actionId: word, reason, decisionId, onRecorded });
  return createAnswer(outcome.sentence);
};
