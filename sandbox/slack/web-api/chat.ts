import { judgeMessageBlocks } from '../block-kit/surfaces.ts';
import { judgeMetadata } from '../block-kit/metadata.ts';
import { withIds } from '../block-ids.ts';
import { BOT_USER_ID, isJson, textOf } from '../model.ts';
import type { Json, SlackChannel, StoredMessage } from '../model.ts';
import type { Store } from '../store.ts';
import { TIER_3, TIER_4 } from './method.ts';
import type { Method, MethodContext } from './method.ts';
import { Refusal, refuseBlocks } from './refusal.ts';
import { showMessage } from './shapes.ts';

const MAX_POST_CHARS = 40_000;
const MAX_UPDATE_CHARS = 4_000; // docs.slack.dev, chat.update: msg_too_long
const WRITE = ['chat:write'];
const SPECIAL_TIER = 60; // one a second and channel, told apart by rate-limits.ts

export const CHAT_METHODS: Record<string, Method> = {
  'chat.postMessage': { scopes: WRITE, perMinute: SPECIAL_TIER, run: postMessage },
  'chat.update': { scopes: WRITE, perMinute: TIER_3, run: updateMessage },
  'chat.delete': { scopes: WRITE, perMinute: TIER_3, run: deleteMessage },
  'chat.postEphemeral': { scopes: WRITE, perMinute: TIER_4, run: postEphemeral },
  'chat.getPermalink': { scopes: [], perMinute: 600, run: getPermalink },
};

export interface CheckedContent {
  text: string;
  blocks?: Json[];
  metadata?: Json;
}

/** Text, blocks and metadata of a message, all checked. Throws a Refusal. Slack gives each block an id; so do we. */
export function checkContent(args: Json, maxChars = MAX_POST_CHARS): CheckedContent {
  const text = textOf(args['text']);
  const blocks = args['blocks'];
  const hasBlocks = blocks !== undefined && !(Array.isArray(blocks) && blocks.length === 0);
  if (hasBlocks) refuseBlocks(judgeMessageBlocks(blocks));
  if (text === '' && !hasBlocks && args['attachments'] === undefined) throw new Refusal('no_text');
  if (text.length > maxChars) throw new Refusal('msg_too_long');
  const metadata = args['metadata'];
  if (metadata !== undefined) {
    const error = judgeMetadata(metadata);
    if (error !== undefined) throw new Refusal(error);
  }
  return {
    text,
    ...(hasBlocks ? { blocks: withIds(blocks as Json[]) } : {}),
    ...(isJson(metadata) ? { metadata } : {}),
  };
}

/** A channel by id or #name, or a person, whose direct message it then is. */
export function channelOf(store: Store, value: unknown): SlackChannel {
  const name = textOf(value);
  if (name === '') throw new Refusal('channel_not_found');
  const person = store.people.get(name);
  if (person !== undefined && person.deleted !== true && person.is_bot !== true) return store.openIm(name);
  const channel = store.channel(name) ?? store.channels().find((one) => `#${one.name}` === name);
  if (channel === undefined) throw new Refusal('channel_not_found');
  if (channel.is_archived === true) throw new Refusal('is_archived');
  if (channel.is_member === false) throw new Refusal('not_in_channel');
  return channel;
}

/** A message of the bot's own, in that channel. */
function ownMessage({ store, args }: MethodContext, refusal: string): StoredMessage {
  const channel = store.channel(textOf(args['channel']));
  if (channel === undefined) throw new Refusal('channel_not_found');
  const message = store.message(channel.id, textOf(args['ts']));
  if (message === undefined || message.ephemeral_to !== undefined) throw new Refusal('message_not_found');
  if (message.user !== BOT_USER_ID) throw new Refusal(refusal);
  return message;
}

function threadOf({ store, args }: MethodContext, channel: string): { thread_ts?: string } {
  if (args['thread_ts'] === undefined) return {};
  const parent = store.message(channel, textOf(args['thread_ts']));
  if (parent === undefined || parent.ephemeral_to !== undefined) throw new Refusal('thread_not_found');
  return { thread_ts: parent.thread_ts ?? parent.ts };
}

function postMessage(context: MethodContext): Json {
  const channel = channelOf(context.store, context.args['channel']);
  const content = checkContent(context.args);
  const message = context.store.addMessage({
    channel: channel.id,
    user: BOT_USER_ID,
    ...content,
    ...threadOf(context, channel.id),
  });
  return { channel: channel.id, ts: message.ts, message: showMessage(message, true) };
}

function updateMessage(context: MethodContext): Json {
  const message = ownMessage(context, 'cant_update_message');
  const { args, store } = context;
  if (args['text'] === undefined && args['blocks'] === undefined && args['metadata'] === undefined)
    throw new Refusal('no_text');
  const keepsText = args['text'] === undefined && args['blocks'] === undefined;
  const content = checkContent(keepsText ? { ...args, text: message.text } : args, MAX_UPDATE_CHARS);
  const edited = store.editMessage(message, { ...(keepsText ? {} : { blocks: [] }), ...content });
  return { channel: message.channel, ts: message.ts, text: edited.text, message: showMessage(edited, true) };
}

function deleteMessage(context: MethodContext): Json {
  const message = ownMessage(context, 'cant_delete_message');
  context.store.deleteMessage(message);
  return { channel: message.channel, ts: message.ts };
}

function postEphemeral(context: MethodContext): Json {
  const { store, args } = context;
  const channel = store.channel(textOf(args['channel']));
  if (channel === undefined) throw new Refusal('channel_not_found');
  const person = store.people.get(textOf(args['user']));
  if (person === undefined) throw new Refusal('user_not_in_channel');
  if (channel.im_user !== undefined && channel.im_user !== person.id) throw new Refusal('user_not_in_channel');
  const message = store.addMessage({
    channel: channel.id,
    user: BOT_USER_ID,
    ephemeral_to: person.id,
    ...checkContent(args),
    ...threadOf(context, channel.id),
  });
  return { message_ts: message.ts };
}

function getPermalink({ store, args }: MethodContext): Json {
  const channel = store.channel(textOf(args['channel']));
  if (channel === undefined) throw new Refusal('channel_not_found');
  const message = store.message(channel.id, textOf(args['message_ts']));
  if (message === undefined) throw new Refusal('message_not_found');
  return { channel: channel.id, permalink: message.permalink };
}
