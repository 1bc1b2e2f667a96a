import type { MessageMetadata } from '@slack/types';
import type { Message } from '../blocks/message.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';

/** Slack's codes for a message that nobody can edit or answer to any more. */
export const GONE = [
  'message_not_found',
  'thread_not_found',
  'cant_update_message',
  'edit_window_closed',
  'channel_not_found',
  'is_archived',
];

export interface Post {
  channel: string;
  message: Message & { metadata?: MessageMetadata };
  threadTs?: string | undefined;
  /** Called where Slack refused for certain: nothing stands in the channel, so the note that a post began is taken back. */
  onRefused(): Promise<void>;
}

/** Posts and tells the message's `ts`. Rejects with the error of the Web API. */
export async function post(deps: BotDeps, { channel, message, threadTs, onRefused }: Post): Promise<string> {
  const content = { channel, ...message, unfurl_links: false };
  try {
    const { ts } = await deps.client.chat.postMessage(
      threadTs === undefined ? content : { ...content, thread_ts: threadTs },
    );
    if (ts === undefined) throw new Error('chat.postMessage told no ts.');
    return ts;
  } catch (error) {
    if (readSlackFailure(error).kind !== 'unknown') await onRefused();
    throw error;
  }
}
