import type { MessageMetadata } from '@slack/types';
import { readAsk } from '../../services/escalation/addressees.ts';
import { readCard } from '../../services/slack/cards.ts';
import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { forgetIntent, noteIntent } from '../../services/slack/outbox.ts';
import { createAnswer } from '../blocks/answer.ts';
import type { Message } from '../blocks/message.ts';
import { describeAction } from '../blocks/card-states.ts';
import { createOutcome, describeEnd } from '../blocks/outcome.ts';
import { createAsk } from '../blocks/reminder.ts';
import { PRIVATE_EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { findTold } from './find-told.ts';
import { post } from './post.ts';
import type { Sender } from './sender.ts';

/** Slack's codes for a person who cannot be written to: trying again would hold up the messages of others for ever. */
const UNREACHABLE = ['channel_not_found', 'user_not_found', 'user_disabled', 'user_is_bot', 'cannot_dm_bot'];

/**
 * A direct message: `{ slack_user_id, text }`; `{ outcome_for }` with the name of who asked for the action; `{ ask_of }`
 * with the name of who may decide it. Anything else is nobody's message, and who has no user id in Slack gets none. What
 * is owed to one person goes out as one. Once, where the app may read what it wrote to them: one whose answer was lost
 * is looked for. Where it may not, it is sent again: twice is better than never.
 */
export const sendPrivate: Sender = async (deps, entry, companions) => {
  const read = await Promise.all([entry, ...companions].map((owed) => readLetter(deps, owed)));
  const owed = read.filter((letter) => letter !== null);
  const userId = owed[0]?.userId;
  if (userId === undefined) return;
  const told = await findTold(deps, { userId, entries: owed.map((letter) => letter.entry) });
  const letters = owed.filter((letter) => !told.has(letter.entry.id));
  if (letters.length > 0) await write(deps, userId, letters);
};

async function write(deps: BotDeps, userId: string, letters: readonly Letter[]): Promise<void> {
  const entries = letters.map((letter) => letter.entry);
  const payload: object = { entry_ids: entries.map(({ id }) => id) }; // Slack takes a list, which its type does not say
  const metadata = { event_type: PRIVATE_EVENT_TYPE, event_payload: payload as MessageMetadata['event_payload'] };
  for (const entry of entries) await noteIntent(deps.ctx, entry, { begun_ms: Date.now(), ...firstBegun(entry) });
  try {
    await post(deps, {
      channel: userId,
      message: { ...putTogether(letters), metadata },
      onRefused: async () => {
        for (const entry of entries) await forgetIntent(deps.ctx, entry);
      },
    });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !UNREACHABLE.includes(failure.code)) throw error;
    deps.log.warn({ user: userId, actions: actionsOf(entries), code: failure.code }, 'a person cannot be reached');
  }
}

/** The first time that it was sent counts, as any of the times may be the one that arrived. */
function firstBegun({ payload }: OutboxEntry): { begun_ms?: number } {
  return payload['begun'] === true ? { begun_ms: Number(payload['begun_ms'] ?? 0) } : {};
}

function actionsOf(entries: readonly OutboxEntry[]): (string | null)[] {
  return entries.map(({ action_id: actionId }) => actionId);
}

interface Letter {
  entry: OutboxEntry;
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
    return { entry, userId, isAsk: false, sentence: text, message: createAnswer(text) };
  }
  if (entry.action_id === null) return null;
  if (typeof approver === 'string') return readAskLetter(deps, entry, { actionId: entry.action_id, approver });
  if (typeof requester !== 'string') return null;
  const { principals } = deps.ctx.config.current();
  const requesterId = principals.get(requester)?.slackUserId ?? null;
  const action = requesterId === null ? null : await readCard(deps.ctx, entry.action_id);
  if (requesterId === null || action === null) return null;
  const told = { sentence: describeEnd(action), message: createOutcome(action) };
  return { entry, userId: requesterId, isAsk: false, ...told };
}

async function readAskLetter(
  deps: BotDeps,
  entry: OutboxEntry,
  ask: { actionId: string; approver: string },
): Promise<Letter | null> {
  const found = await readAsk(deps.ctx, { actionId: ask.actionId, principal: ask.approver });
  if (found === null) return null;
  const { action, slackUserId: userId } = found;
  return { entry, userId, isAsk: true, sentence: describeAction(action), message: createAsk(action) };
}
