import type { BotDeps } from './deps.ts';

/** Null where Slack does not say: the message stands, only the link to it is missing. */
export async function findPermalink(
  deps: Pick<BotDeps, 'client'>,
  message: { channel: string; ts: string },
): Promise<string | null> {
  try {
    const { permalink } = await deps.client.chat.getPermalink({ channel: message.channel, message_ts: message.ts });
    return permalink ?? null;
  } catch {
    return null;
  }
}
