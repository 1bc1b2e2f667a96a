import { COMMAND, SHORTCUTS } from './blocks/names.ts';
import { EVENTS_PATH } from './transport/slack-events-plugin.ts';

/** What the app may do at the least. */
export const SCOPES = ['commands', 'chat:write', 'users:read'] as const;

/** Optional: with it a post whose answer was lost is found again at once, without it at the next click. */
const HISTORY_SCOPES = ['channels:history', 'groups:history'] as const;

/** Optional: the same for a direct message of Medic's, which without them may stand there twice. */
const DIRECT_SCOPES = ['im:history', 'im:write'] as const;

/**
 * What Medic does without where an administrator leaves it out: user groups count only where they can be read, and long
 * output is cut where no file can be sent.
 */
export const OPTIONAL_SCOPES = [...HISTORY_SCOPES, ...DIRECT_SCOPES, 'usergroups:read', 'files:write'] as const;

export const EVENTS = ['app_home_opened'] as const;

/** Shown while somebody types; a test holds it to the verbs that there are. */
const VERBS_IN_HINT =
  'help, pending, show, why, history, servers, queue, pause, unpause, halt, halts, unhalt, approve, reject, cancel, dead-letters, replay, replay-many, dismiss';

/** Each Web API method that the code calls, with the scopes of which one is enough; a test holds both to each other. */
export const METHODS: Readonly<Record<string, readonly string[]>> = {
  'auth.test': [],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'chat.getPermalink': [],
  'conversations.history': [...HISTORY_SCOPES, 'im:history'],
  'conversations.open': ['im:write'],
  'conversations.replies': HISTORY_SCOPES,
  'files.completeUploadExternal': ['files:write'],
  'files.getUploadURLExternal': ['files:write'],
  'usergroups.users.list': ['usergroups:read'],
  'users.info': ['users:read'],
  'views.open': [],
  'views.publish': [],
  'views.update': [],
};

const SLASH_COMMAND = {
  command: COMMAND,
  description: 'Ask for a repair, approve one, or see how it stands',
  usage_hint: `PLAYBOOK SERVER key=value reason="…" | ${VERBS_IN_HINT}`,
  should_escape: false,
};

const SHORTCUT_ENTRIES = [
  {
    name: 'Ask for a repair',
    type: 'global',
    callback_id: SHORTCUTS.ask,
    description: 'Opens a form: playbook, server, parameters, and what will run',
  },
  {
    name: 'Remediate this…',
    type: 'message',
    callback_id: SHORTCUTS.askMessage,
    description: 'Opens the same form, with this message as the reason',
  },
];

/**
 * The app as Slack reads it (https://docs.slack.dev/reference/app-manifest). `url` is Medic's address as Slack can
 * reach it, without a path; only HTTP needs it.
 */
export function createManifest(input: { mode: 'socket' } | { mode: 'http'; url: string }): Record<string, unknown> {
  const requestUrl = input.mode === 'http' ? new URL(EVENTS_PATH, input.url).href : undefined;
  const address = requestUrl === undefined ? {} : { url: requestUrl };
  const subscription = requestUrl === undefined ? {} : { request_url: requestUrl };
  return {
    display_information: {
      name: 'Medic',
      description: 'Repairs servers from chat, safely.',
      background_color: '#1f3a4d',
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: true },
      bot_user: { display_name: 'Medic', always_online: true },
      slash_commands: [{ ...SLASH_COMMAND, ...address }],
      shortcuts: SHORTCUT_ENTRIES,
    },
    oauth_config: { scopes: { bot: [...SCOPES, ...OPTIONAL_SCOPES], bot_optional: [...OPTIONAL_SCOPES] } },
    settings: {
      event_subscriptions: { bot_events: [...EVENTS], ...subscription },
      interactivity: { is_enabled: true, ...subscription },
      org_deploy_enabled: false,
      socket_mode_enabled: input.mode === 'socket',
      token_rotation_enabled: false,
    },
  };
}
