import { APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID, textOf } from '../model.ts';
import type { Json, SlackChannel, StoredMessage } from '../model.ts';
import { channelOf } from './chat.ts';
import { TIER_2, TIER_3, TIER_4 } from './method.ts';
import type { Method, MethodContext } from './method.ts';
import { Refusal } from './refusal.ts';
import { showChannel, showMessage, showPerson } from './shapes.ts';

const CHANNELS_READ = ['channels:read', 'groups:read', 'im:read'];
const HISTORY = ['channels:history', 'groups:history', 'im:history'];
const DEFAULT_PAGE = 100;

export const LOOKUP_METHODS: Record<string, Method> = {
  'api.test': { scopes: [], perMinute: 600, run: ({ args }) => ({ args }) },
  'auth.test': { scopes: [], perMinute: 600, run: authTest },
  'team.info': { scopes: ['team:read'], perMinute: TIER_3, run: teamInfo },
  'bots.info': { scopes: ['users:read'], perMinute: TIER_3, run: botsInfo },
  'users.info': { scopes: ['users:read'], perMinute: TIER_4, run: usersInfo },
  'users.list': { scopes: ['users:read'], perMinute: TIER_2, run: usersList },
  'conversations.info': { scopes: CHANNELS_READ, perMinute: TIER_3, run: conversationsInfo },
  'conversations.list': { scopes: CHANNELS_READ, perMinute: TIER_2, run: conversationsList },
  'conversations.members': { scopes: CHANNELS_READ, perMinute: TIER_4, run: conversationsMembers },
  'conversations.join': { scopes: ['channels:join'], perMinute: TIER_3, run: conversationsInfo },
  'conversations.open': { scopes: ['im:write'], perMinute: TIER_3, run: conversationsOpen },
  'conversations.history': { scopes: HISTORY, perMinute: TIER_3, run: conversationsHistory },
  'conversations.replies': { scopes: HISTORY, perMinute: TIER_3, run: conversationsReplies },
  'apps.connections.open': {
    scopes: [],
    perMinute: 600,
    appToken: true,
    run: ({ socketUrl }) => ({ url: socketUrl() }),
  },
};

function authTest({ store }: MethodContext): Json {
  return {
    url: `${store.baseUrl}/`,
    team: 'Medic sandbox',
    user: 'medic',
    team_id: TEAM_ID,
    user_id: BOT_USER_ID,
    bot_id: BOT_ID,
    is_enterprise_install: false,
  };
}

function teamInfo(): Json {
  return { team: { id: TEAM_ID, name: 'Medic sandbox', domain: 'medic-sandbox' } };
}

function botsInfo({ args }: MethodContext): Json {
  if (args['bot'] !== undefined && args['bot'] !== BOT_ID) throw new Refusal('bot_not_found');
  return { bot: { id: BOT_ID, app_id: APP_ID, user_id: BOT_USER_ID, name: 'medic', deleted: false } };
}

function usersInfo({ store, args }: MethodContext): Json {
  const person = store.people.get(textOf(args['user']));
  if (person === undefined) throw new Refusal('user_not_found');
  return { user: showPerson(person) };
}

function usersList({ store, args }: MethodContext): Json {
  const { page, cursor } = paged([...store.people.values()].map(showPerson), args);
  return { members: page, response_metadata: { next_cursor: cursor } };
}

/** A channel by its id only: lookups know no names. */
function known({ store, args }: MethodContext): SlackChannel {
  const channel = store.channel(textOf(args['channel']));
  if (channel === undefined) throw new Refusal('channel_not_found');
  return channel;
}

function conversationsInfo(context: MethodContext): Json {
  return { channel: showChannel(known(context)) };
}

function conversationsList({ store, args }: MethodContext): Json {
  const types = textOf(args['types']) || 'public_channel';
  const wanted = store
    .channels()
    .filter((channel) => types.includes(channel.im_user === undefined ? 'public_channel' : 'im'));
  const { page, cursor } = paged(wanted.map(showChannel), args);
  return { channels: page, response_metadata: { next_cursor: cursor } };
}

function conversationsMembers(context: MethodContext): Json {
  const { im_user: person } = known(context);
  const everyone = [...context.store.people.values()].filter((one) => one.deleted !== true).map((one) => one.id);
  return {
    members: person === undefined ? everyone : [person, BOT_USER_ID],
    response_metadata: { next_cursor: '' },
  };
}

function conversationsOpen({ store, args }: MethodContext): Json {
  const person = store.people.get(textOf(args['users']).split(',')[0] ?? '');
  if (person === undefined) throw new Refusal('users_not_found');
  if (person.deleted === true) throw new Refusal('user_disabled');
  return { channel: showChannel(channelOf(store, person.id)) };
}

function conversationsHistory(context: MethodContext): Json {
  const all = visible(context).filter((message) => message.thread_ts === undefined || message.thread_ts === message.ts);
  return historyPage(all.reverse(), context.args);
}

function conversationsReplies(context: MethodContext): Json {
  const root = textOf(context.args['ts']);
  const thread = visible(context).filter((message) => message.ts === root || message.thread_ts === root);
  if (thread.length === 0) throw new Refusal('thread_not_found');
  return historyPage(thread, context.args);
}

function visible(context: MethodContext): StoredMessage[] {
  const { args, store } = context;
  if (known(context).is_member === false) throw new Refusal('not_in_channel');
  const isInclusive = args['inclusive'] === true || args['inclusive'] === 'true';
  const [oldest, latest] = [Number(args['oldest'] ?? 0), Number(args['latest'] ?? Infinity)];
  return store.allMessages(known(context).id).filter((message) => {
    const at = Number(message.ts);
    const inside = isInclusive ? at >= oldest && at <= latest : at > oldest && at < latest;
    return inside && message.ephemeral_to === undefined;
  });
}

function historyPage(messages: StoredMessage[], args: Json): Json {
  const withMetadata = args['include_all_metadata'] === true || args['include_all_metadata'] === 'true';
  const { page, cursor } = paged(
    messages.map((message) => showMessage(message, withMetadata)),
    args,
  );
  return { messages: page, has_more: cursor !== '', response_metadata: { next_cursor: cursor } };
}

function paged<T>(items: T[], args: Json): { page: T[]; cursor: string } {
  const limit = Math.min(Number(args['limit'] ?? DEFAULT_PAGE) || DEFAULT_PAGE, 999);
  const cursor = textOf(args['cursor']);
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64url').toString());
  if (!Number.isInteger(start)) throw new Refusal('invalid_cursor');
  const end = start + limit;
  return {
    page: items.slice(start, end),
    cursor: end < items.length ? Buffer.from(String(end)).toString('base64url') : '',
  };
}
