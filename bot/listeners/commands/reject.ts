import { decideAction } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { CommandListener } from './command.ts';

export const reject: CommandListener = async ({ deps, asker, word, reason, triggerId, userId, onRecorded }) => {
  const decisionId = createDecisionId({ triggerId, userId, kind: 'reject', actionId: word });
  const outcome = await decideAction(deps.ctx, asker, {
    actionId: word,
    kind: 'reject',
    reason,
    decisionId,
    onRecorded,
  });
  return createAnswer(outcome.sentence);
};
