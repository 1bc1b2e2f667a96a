import { isOpen } from '../../services/escalation/addressees.ts';
import { readBatchOf } from '../../services/slack/batches.ts';
import { readCard } from '../../services/slack/cards.ts';
import { createReminder } from '../blocks/reminder.ts';
import { reply } from './reply.ts';
import type { Sender } from './sender.ts';

/**
 * In the thread of the card, while the action still waits for a decision; in that of a batch's card for all that wait
 * there, which is why its companions need no reminder of their own.
 */
export const sendReminder: Sender = async (deps, entry) => {
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action === null) return;
  const batch = await readBatchOf(deps.ctx, action.id);
  const [first, ...others] = (batch?.actions ?? [action]).filter(isOpen);
  if (first === undefined) return;
  await reply(deps, { entry, action, message: createReminder([first, ...others]) });
};
