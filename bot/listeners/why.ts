import type { Asker } from '../../domain/principal.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { createAnswer } from '../blocks/answer.ts';
import { describeAction } from '../blocks/card-states.ts';
import type { Message } from '../blocks/message.ts';
import type { BotDeps } from '../deps.ts';

/** The rule that decides an action, and who has approved it. */
export async function explain(deps: BotDeps, asker: Asker, id: string): Promise<Message> {
  const action = await getAction(deps.ctx, asker, id);
  const approved = action.approvals.map(({ by, reason }) => `${by} approved${reason === null ? '' : `: ${reason}`}`);
  return createAnswer(`${describeAction(action)} ${action.approvalRule}`, approved);
}
