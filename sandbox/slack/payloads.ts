import { APP_ID, TEAM_ID, textOf } from './model.ts';
import type { Json, SlackPerson, StoredMessage, StoredView } from './model.ts';
import type { Store } from './store.ts';
import { initialState } from './view-state.ts';
import { showMessage, showView } from './web-api/shapes.ts';

const TEAM = { id: TEAM_ID, domain: 'medic-sandbox' };
const VERIFICATION_TOKEN = 'sandbox-verification-token'; // deprecated by Slack, still in every payload

export function userOf(person: SlackPerson): Json {
  return { id: person.id, username: person.name, name: person.name, team_id: person.team_id ?? TEAM_ID };
}

export function commandPayload(
  store: Store,
  input: {
    person: SlackPerson;
    channel: string;
    command: string;
    text: string;
    triggerId: string;
    responseUrl: string;
  },
): Json {
  return {
    token: VERIFICATION_TOKEN,
    team_id: input.person.team_id ?? TEAM_ID,
    team_domain: TEAM.domain,
    channel_id: input.channel,
    channel_name:
      store.channel(input.channel)?.im_user === undefined
        ? (store.channel(input.channel)?.name ?? '')
        : 'directmessage',
    user_id: input.person.id,
    user_name: input.person.name,
    command: input.command,
    text: input.text,
    api_app_id: APP_ID,
    is_enterprise_install: 'false',
    response_url: input.responseUrl,
    trigger_id: input.triggerId,
  };
}

/** A shortcut from the composer or the search: it carries no channel. */
export function globalShortcutPayload(
  store: Store,
  input: { person: SlackPerson; callbackId: string; triggerId: string },
): Json {
  return { ...shortcut(store, input), type: 'shortcut' };
}

export function messageShortcutPayload(
  store: Store,
  input: { person: SlackPerson; callbackId: string; message: StoredMessage; triggerId: string; responseUrl: string },
): Json {
  const { message } = input;
  const channel = store.channel(message.channel);
  return {
    ...shortcut(store, input),
    type: 'message_action',
    message_ts: message.ts,
    message: showMessage(message, true),
    channel: { id: message.channel, name: channel?.im_user === undefined ? channel?.name : 'directmessage' },
    response_url: input.responseUrl,
  };
}

function shortcut(store: Store, input: { person: SlackPerson; callbackId: string; triggerId: string }): Json {
  return {
    ...interaction(input.person, input.triggerId),
    callback_id: input.callbackId,
    action_ts: store.nextTs(),
  };
}

function interaction(person: SlackPerson, triggerId: string): Json {
  return {
    user: userOf(person),
    api_app_id: APP_ID,
    token: VERIFICATION_TOKEN,
    trigger_id: triggerId,
    team: { ...TEAM, id: person.team_id ?? TEAM_ID },
    enterprise: null,
    is_enterprise_install: false,
  };
}

/** A click on a message: it carries the whole message, its metadata included. */
export function messageClickPayload(
  store: Store,
  input: { person: SlackPerson; message: StoredMessage; action: Json; triggerId: string; responseUrl: string },
): Json {
  const { message } = input;
  const channel = store.channel(message.channel);
  return {
    type: 'block_actions',
    ...interaction(input.person, input.triggerId),
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: message.ephemeral_to !== undefined,
    },
    channel: { id: message.channel, name: channel?.im_user === undefined ? channel?.name : 'directmessage' },
    // Slack leaves an ephemeral message out: the app cannot read it again.
    ...(message.ephemeral_to === undefined ? { message: showMessage(message, true) } : {}),
    state: { values: initialState(message.blocks ?? []) },
    response_url: input.responseUrl,
    actions: [input.action],
  };
}

export function viewClickPayload(input: {
  person: SlackPerson;
  view: StoredView;
  action: Json;
  triggerId: string;
}): Json {
  return {
    type: 'block_actions',
    ...interaction(input.person, input.triggerId),
    container: { type: 'view', view_id: input.view.id },
    view: showView(input.view),
    actions: [input.action],
  };
}

export function viewPayload(
  type: 'view_submission' | 'view_closed',
  input: { person: SlackPerson; view: StoredView; triggerId: string },
): Json {
  const extra = type === 'view_closed' ? { is_cleared: false } : { response_urls: [] };
  return { type, ...interaction(input.person, input.triggerId), view: showView(input.view), ...extra };
}

export function suggestionPayload(input: {
  person: SlackPerson;
  blockId: string;
  actionId: string;
  value: string;
  view?: StoredView | undefined;
  message?: StoredMessage | undefined;
}): Json {
  const { trigger_id: _none, ...base } = interaction(input.person, '');
  return {
    type: 'block_suggestion',
    ...base,
    action_id: input.actionId,
    block_id: input.blockId,
    value: input.value,
    ...(input.view === undefined
      ? {}
      : { container: { type: 'view', view_id: input.view.id }, view: showView(input.view) }),
    ...(input.message === undefined
      ? {}
      : {
          container: { type: 'message', message_ts: input.message.ts, channel_id: input.message.channel },
          message: showMessage(input.message, true),
        }),
  };
}

export function eventPayload(event: Json, eventId: string): Json {
  return {
    token: VERIFICATION_TOKEN,
    team_id: TEAM_ID,
    api_app_id: APP_ID,
    event,
    type: 'event_callback',
    event_id: eventId,
    event_time: Math.floor(Number(textOf(event['event_ts']))),
    authorizations: [
      { enterprise_id: null, team_id: TEAM_ID, user_id: 'U0MEDICBOT', is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: false,
  };
}
