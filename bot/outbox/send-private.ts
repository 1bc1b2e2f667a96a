import { createAnswer } from '../blocks/answer.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import type { Sender } from './sender.ts';

/** Slack's codes for a person who cannot be written to: trying again would hold up the messages of others for ever. */
const UNREACHABLE = ['channel_not_found', 'user_not_found', 'user_disabled', 'user_is_bot', 'cannot_dm_bot'];

/** A direct message, `{ slack_user_id, text }`; anything else is nobody's message. */
export const sendPrivate: Sender = async (deps, entry) => {
  const { slack_user_id: userId, text } = entry.payload;
  if (typeof userId !== 'string' || typeof text !== 'string') return;
  try {
    await deps.client.chat.postMessage({ channel: userId, ...createAnswer(text) });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !UNREACHABLE.includes(failure.code)) throw error;
    deps.log.warn({ user: userId, action_id: entry.action_id, code: failure.code }, 'a person cannot be reached');
  }
};
