import { readCard } from '../../services/slack/cards.ts';
import { createAnswer } from '../blocks/answer.ts';
import { reply } from './reply.ts';
import type { Sender } from './sender.ts';

/** `{ text }` in the thread of the card, while the action still waits for a decision. */
export const sendReminder: Sender = async (deps, entry) => {
  const { text } = entry.payload;
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action?.status !== 'pending' || typeof text !== 'string') return;
  await reply(deps, { entry, action, message: createAnswer(text) });
};
