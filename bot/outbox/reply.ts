import type { ActionView } from '../../services/actions/action-view.ts';
import { findThread } from '../../services/slack/cards.ts';
import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { forgetIntent, noteIntent } from '../../services/slack/outbox.ts';
import type { Message } from '../blocks/message.ts';
import { REPLY_EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { findLostPost } from './find-lost-post.ts';
import { GONE, post } from './post.ts';

/**
 * Posts in the thread of the action's card, or of its batch's; where the card does not stand (any more), in the
 * channel. Once: one whose answer was lost is looked for by the entry's number.
 */
export async function reply(
  deps: BotDeps,
  input: { entry: OutboxEntry; action: ActionView; message: Message },
): Promise<void> {
  const { entry, action } = input;
  const thread = await findThread(deps.ctx, action.id);
  const channel = thread?.channel ?? deps.channel;
  const payload = { entry_id: entry.id }; // not the action's: only its card and its notices are found by its id
  if (entry.payload['begun'] === true) {
    const search = { channel, threadTs: thread?.ts, since: action.requestedAt, eventType: REPLY_EVENT_TYPE, payload };
    if ((await findLostPost(deps, search)).kind === 'found') return;
  }
  const message = { ...input.message, metadata: { event_type: REPLY_EVENT_TYPE, event_payload: payload } };
  const onRefused = (): Promise<void> => forgetIntent(deps.ctx, entry);
  await noteIntent(deps.ctx, entry);
  try {
    await post(deps, { channel, message, threadTs: thread?.ts, onRefused });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (thread === null || failure.kind !== 'refused' || !GONE.includes(failure.code)) throw error;
    await post(deps, { channel: deps.channel, message, onRefused });
  }
}
