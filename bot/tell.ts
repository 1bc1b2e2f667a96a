import type { RespondFn } from '@slack/bolt';
import { describeError } from '../services/slack/describe-error.ts';
import type { BotDeps } from './deps.ts';
import { createAnswer } from './blocks/answer.ts';
import type { Message } from './blocks/message.ts';

/** How to reach one person, best first. */
export interface Reply {
  respond?: RespondFn | undefined;
  /** Null where there is none, on Home: then the answer is a direct message. */
  channel: string | null;
  userId: string;
}

/**
 * Answers one person, so that nobody else sees it: by the response URL, else in the channel, else as a direct message,
 * at last with its sentence alone.
 * Never rejects: what was done is done, whether it could be told or not.
 */
export async function tell(deps: BotDeps, reply: Reply, message: Message): Promise<void> {
  const { respond, channel, userId } = reply;
  const ways = [
    ...(respond === undefined
      ? []
      : [() => respond({ ...message, response_type: 'ephemeral', replace_original: false })]),
    ...(channel === null ? [] : [() => deps.client.chat.postEphemeral({ channel, user: userId, ...message })]),
    () => deps.client.chat.postMessage({ channel: userId, ...message }),
    // a workspace without tables; never without a block, or what people wrote would be read as mrkdwn
    () => deps.client.chat.postMessage({ channel: userId, text: message.text, blocks: message.blocks.slice(0, 1) }),
  ];
  for (const way of ways) {
    try {
      await way();
      return;
    } catch (error) {
      deps.log.debug({ err: error, user: userId }, 'an answer could not be given this way');
    }
  }
  deps.log.warn({ user: userId }, 'an answer could not be given in any way');
}

/** Runs what somebody asked for and tells them its answer, or in one sentence why there is none. */
export async function answer(deps: BotDeps, reply: Reply, work: () => Promise<Message | null>): Promise<void> {
  let message: Message | null;
  try {
    message = await work();
  } catch (error) {
    message = explain(deps, error);
  }
  if (message !== null) await tell(deps, reply, message);
}

export function explain(deps: BotDeps, error: unknown): Message {
  return createAnswer(toSentence(deps, error));
}

/** What the person is told of an error; what nobody expected goes to the log as well. */
export function toSentence(deps: BotDeps, error: unknown): string {
  const { sentence, isExpected } = describeError(error);
  if (!isExpected) deps.log.error({ err: error }, 'a request from Slack failed');
  return sentence;
}
