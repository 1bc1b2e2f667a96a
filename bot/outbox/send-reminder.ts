import { readCard } from '../../services/slack/cards.ts';
import { createAnswer } from '../blocks/answer.ts';
import { reply } from './reply.ts';
import type { Sender } from './sender.ts';

/** `{ text }` in the thread of the card, while the action still waits for a decision; for many of one batch, one. */
export const sendReminder: Sender = async (deps, entry, companions) => {
  const due = await Promise.all(
    [entry, ...companions].map(async ({ action_id: id, payload }) => {
      const action = id === null ? null : await readCard(deps.ctx, id);
      return action?.status === 'pending' && typeof payload['text'] === 'string'
        ? { action, text: payload['text'] }
        : null;
    }),
  );
  const waiting = due.filter((one) => one !== null);
  const [first] = waiting;
  if (first === undefined) return;
  const texts = waiting.map(({ text }) => text);
  const message = texts.length === 1 ? createAnswer(first.text) : createAnswer(`${texts.length} of these wait:`, texts);
  await reply(deps, { entry, action: first.action, message });
};
