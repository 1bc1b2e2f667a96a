import { readAsk } from '../../services/escalation/addressees.ts';
import { readCard } from '../../services/slack/cards.ts';
import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { createAnswer } from '../blocks/answer.ts';
import type { Message } from '../blocks/message.ts';
import { describeAction } from '../blocks/card-states.ts';
import { createOutcome } from '../blocks/outcome.ts';
import { createAsk } from '../blocks/reminder.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import type { Sender } from './sender.ts';

/** Slack's codes for a person who cannot be written to: trying again would hold up the messages of others for ever. */
const UNREACHABLE = ['channel_not_found', 'user_not_found', 'user_disabled', 'user_is_bot', 'cannot_dm_bot'];

/**
 * A direct message: `{ slack_user_id, text }`; `{ outcome_for }` with the name of who asked for the action; `{ ask_of }`
 * with the name of who may decide it. Anything else is nobody's message, and who has no user id in Slack gets none. What
 * is owed to one person goes out as one.
 */
export const sendPrivate: Sender = async (deps, entry, companions) => {
  const read = await Promise.all([entry, ...companions].map((owed) => readLetter(deps, owed)));
  const letters = read.filter((letter) => letter !== null);
  const [first] = letters;
  if (first === undefined) return;
  if (letters.some(({ userId }) => userId !== first.userId))
    throw new Error('Letters to two people were put together.');
  try {
    await deps.client.chat.postMessage({ channel: first.userId, ...putTogether(letters), unfurl_links: false });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !UNREACHABLE.includes(failure.code)) throw error;
    const { userId: user } = first;
    deps.log.warn({ user, action_id: entry.action_id, code: failure.code }, 'a person cannot be reached');
  }
};

interface Letter {
  userId: string;
  isAsk: boolean;
  sentence: string;
  message: Message;
}

function putTogether(letters: readonly Letter[]): Message {
  const [only] = letters;
  if (letters.length === 1 && only !== undefined) return only.message;
  const isAsked = letters.every(({ isAsk }) => isAsk);
  return createAnswer(
    isAsked ? `${letters.length} actions wait for a decision that you may make:` : `${letters.length} things happened:`,
    letters.map(({ sentence }) => sentence),
  );
}

async function readLetter(deps: BotDeps, entry: OutboxEntry): Promise<Letter | null> {
  const { slack_user_id: userId, text, outcome_for: requester, ask_of: approver } = entry.payload;
  if (typeof userId === 'string' && typeof text === 'string') {
    return { userId, isAsk: false, sentence: text, message: createAnswer(text) };
  }
  if (entry.action_id === null) return null;
  if (typeof approver === 'string') return readAskLetter(deps, { actionId: entry.action_id, approver });
  if (typeof requester !== 'string') return null;
  const { principals } = deps.ctx.config.current();
  const requesterId = principals.get(requester)?.slackUserId ?? null;
  const action = requesterId === null ? null : await readCard(deps.ctx, entry.action_id);
  if (requesterId === null || action === null) return null;
  return { userId: requesterId, isAsk: false, sentence: describeAction(action), message: createOutcome(action) };
}

async function readAskLetter(deps: BotDeps, ask: { actionId: string; approver: string }): Promise<Letter | null> {
  const found = await readAsk(deps.ctx, { actionId: ask.actionId, principal: ask.approver });
  if (found === null) return null;
  const { action, slackUserId: userId } = found;
  return { userId, isAsk: true, sentence: describeAction(action), message: createAsk(action) };
}
