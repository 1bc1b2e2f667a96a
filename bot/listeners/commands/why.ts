import { getAction } from '../../../services/actions/read-actions.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { describeAction } from '../../blocks/sentences.ts';
import type { CommandListener } from './command.ts';

/** The rule that decides an action, and who has approved it. */
export const why: CommandListener = async ({ deps, asker, word }) => {
  const action = await getAction(deps.ctx, asker, word);
  const approved = action.approvals.map(({ by, reason }) => `${by} approved${reason === null ? '' : `: ${reason}`}`);
  return createAnswer(`${describeAction(action)} ${action.approvalRule}`, approved);
};
