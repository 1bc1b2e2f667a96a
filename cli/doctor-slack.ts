import { WebClient } from '@slack/web-api';
import { pino } from 'pino';
import { OPTIONAL_SCOPES, SCOPES } from '../bot/manifest.ts';
import { EVENTS_PATH } from '../bot/transport/slack-events-plugin.ts';
import { readSlackFailure, SLACK_API_URL, webClientOptions } from '../bot/transport/web-client.ts';
import type { Principal } from '../domain/principal.ts';
import { openConfigStore } from '../services/config/config-store.ts';
import type { ControlPlaneConfig } from '../services/config/config-store.ts';
import type { Environment } from '../services/config/environment.ts';
import type { Check } from './doctor-checks.ts';
import { trySocket } from './doctor-socket.ts';

const MOST_PEOPLE = 50; // users.info: about 100 calls a minute, and the bot needs some of them
const NOT_SET_UP = 'not set up: without SLACK_BOT_TOKEN the API and the worker run alone';
const NOT_THERE = ['channel_not_found', 'not_in_channel', 'is_archived'];
const NO_USERGROUPS = ['plan_upgrade_required', 'paid_teams_only'];

/** What Medic does without each scope that an administrator may leave out. */
const WITHOUT: Record<(typeof OPTIONAL_SCOPES)[number], string> = {
  'channels:history': 'a card whose post got no answer is found at its next click only',
  'groups:history': 'the same in a private channel',
  'im:history': 'a direct message that got no answer may stand there twice',
  'im:write': 'the same',
  'usergroups:read': 'groups with slack_usergroup let nobody decide',
  'files:write': 'long output is cut',
};

/** A line each, in the order in which a person mends them. None changes anything in Slack. */
export const SLACK_CHECKS: readonly Check[] = [
  { name: 'slack_token', run: checkToken },
  { name: 'slack_scopes', run: checkScopes },
  { name: 'slack_socket', run: checkTransport },
  { name: 'slack_channel', run: checkChannel },
  { name: 'slack_groups', run: checkUserGroups },
  { name: 'slack_people', run: checkPeople },
];

async function checkToken({ slack }: Environment): Promise<string> {
  if (slack.botToken === null) return NOT_SET_UP;
  const answer = await clientOf(slack, slack.botToken)
    .auth.test()
    .catch((error: unknown) => {
      throw explain(error, {
        refused: (code) => `Slack does not take SLACK_BOT_TOKEN (${code}): copy it anew from “OAuth & Permissions”.`,
      });
    });
  if (answer.bot_id === undefined) {
    throw new Error('SLACK_BOT_TOKEN is no bot’s token: copy the one that begins with xoxb-.');
  }
  return `${answer.user ?? 'the app'} in ${answer.team ?? 'the workspace'}`;
}

async function checkScopes({ slack }: Environment): Promise<string> {
  if (slack.botToken === null) return NOT_SET_UP;
  const answer = await clientOf(slack, slack.botToken).auth.test().catch(notAsked);
  const granted = answer.response_metadata?.scopes;
  if (granted === undefined) return 'not told by this Slack';
  const missing = SCOPES.filter((scope) => !granted.includes(scope));
  if (missing.length > 0) {
    throw new Error(
      `The Slack app lacks ${missing.join(', ')}: apply \`medic slack manifest\` and install the app again.`,
    );
  }
  const left = OPTIONAL_SCOPES.filter((scope) => !granted.includes(scope));
  const told = left.map((scope) => `without ${scope}, ${WITHOUT[scope]}`);
  return ['all that is needed is granted', ...told].join('; ');
}

async function checkTransport({ slack, externalUrl, databaseUrl }: Environment): Promise<string> {
  if (slack.botToken === null) return NOT_SET_UP;
  if (slack.appToken === null) {
    if (slack.signingSecret === null) {
      throw new Error('Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set: set one of them.');
    }
    return `over HTTP: Slack calls ${new URL(EVENTS_PATH, externalUrl ?? 'https://your-address').href}`;
  }
  const { url } = await clientOf(slack, slack.appToken)
    .apps.connections.open({})
    .catch((error: unknown) => {
      throw explain(error, {
        refused: (code) =>
          `Slack gives no socket for SLACK_APP_TOKEN (${code}): make an app-level token with connections:write under “Basic Information”, and switch Socket Mode on.`,
      });
    });
  return trySocket(url ?? 'wss://unknown', { databaseUrl });
}

/** Only a scope that the app may lack can look into a channel, so what cannot be seen is no failure. */
async function checkChannel({ slack }: Environment): Promise<string> {
  const { botToken, channel } = slack;
  if (botToken === null) return NOT_SET_UP;
  if (channel === null) throw new Error('MEDIC_SLACK_CHANNEL is not set: set it to the id of the channel for cards.');
  try {
    await clientOf(slack, botToken).conversations.history({ channel, limit: 1 });
    return `the app is in ${channel}`;
  } catch (error) {
    const { code } = readSlackFailure(error);
    if (NOT_THERE.includes(code)) {
      throw new Error(`The app is not in the channel ${channel} (${code}): type /invite @Medic there.`, {
        cause: error,
      });
    }
    return `${channel} was not looked into (${code})`;
  }
}

async function checkUserGroups({ slack, configDirectory }: Environment): Promise<string> {
  if (slack.botToken === null) return NOT_SET_UP;
  const groups = [...(await readConfig(configDirectory)).groups].flatMap(([name, { slackUsergroup }]) =>
    slackUsergroup === null ? [] : [{ name, id: slackUsergroup }],
  );
  if (groups.length === 0) return 'medic.yaml names none';
  const client = clientOf(slack, slack.botToken);
  const told: string[] = [];
  for (const { name, id } of groups) {
    try {
      const { users = [] } = await client.usergroups.users.list({ usergroup: id });
      told.push(`${name} has ${users.length} ${users.length === 1 ? 'member' : 'members'}`);
    } catch (error) {
      const { code } = readSlackFailure(error);
      if (NO_USERGROUPS.includes(code)) return 'this workspace’s plan has none: the lists of members count';
      throw explain(error, { refused: () => explainGroup({ name, id, code }) });
    }
  }
  return told.join(', ');
}

function explainGroup({ name, id, code }: { name: string; id: string; code: string }): string {
  if (code === 'missing_scope') {
    return `The group ${name} cannot be read without the scope usergroups:read, so nobody decides through it: install the app again with it.`;
  }
  return `The group ${name} has no user group ${id} in Slack (${code}): correct slack_usergroup in medic.yaml.`;
}

/** Each principal's id: a wrong one lets nobody in, and one of a guest or of somebody who left is refused at the click. */
async function checkPeople({ slack, configDirectory }: Environment): Promise<string> {
  if (slack.botToken === null) return NOT_SET_UP;
  const principals = [...(await readConfig(configDirectory)).principals.values()];
  const people = principals.filter(({ slackUserId }) => slackUserId !== null);
  if (people.length === 0) return 'medic.yaml gives nobody a slack_user_id, so nobody can decide in Slack';
  const client = clientOf(slack, slack.botToken);
  const wrong: string[] = [];
  for (const person of people.slice(0, MOST_PEOPLE)) {
    const complaint = await judgePerson(client, person);
    if (complaint !== null) wrong.push(`${person.name} (${person.slackUserId ?? ''}) ${complaint}`);
  }
  if (wrong.length > 0) throw new Error(`${wrong.join('; ')}: correct slack_user_id in medic.yaml.`);
  const looked = Math.min(people.length, MOST_PEOPLE);
  return looked === people.length ? `${looked} people, all members` : `${looked} of ${people.length} people looked at`;
}

async function judgePerson(client: WebClient, person: Principal): Promise<string | null> {
  try {
    const { user } = await client.users.info({ user: person.slackUserId ?? '' });
    if (user?.deleted === true) return 'is deactivated';
    if (user?.is_bot === true) return 'is a bot';
    return user?.is_restricted === true || user?.is_ultra_restricted === true ? 'is a guest' : null;
  } catch (error) {
    const { kind, code } = readSlackFailure(error);
    if (kind === 'refused' && code === 'user_not_found') return 'is not in this workspace';
    throw explain(error, { refused: (told) => `People could not be looked up (${told}): see slack_scopes.` });
  }
}

async function readConfig(directory: string | null): Promise<ControlPlaneConfig> {
  const store = await openConfigStore({ directory }).catch((cause: unknown) => {
    throw new Error('Not looked at: mend the configuration first.', { cause });
  });
  return store.current();
}

function clientOf(slack: Environment['slack'], token: string): WebClient {
  return new WebClient(token, webClientOptions({ apiUrl: slack.apiUrl ?? SLACK_API_URL, log: SILENT }));
}

const SILENT = pino({ level: 'silent' });

/** A sentence for Slack's no; another for its silence, which no setting mends. */
function explain(error: unknown, words: { refused: (code: string) => string }): Error {
  const { kind, code } = readSlackFailure(error);
  if (kind === 'refused') return new Error(words.refused(code), { cause: error });
  return new Error(`Slack did not answer (${code}): let this machine reach it, then try again.`, { cause: error });
}

function notAsked(error: unknown): never {
  throw explain(error, { refused: (code) => `Not looked at (${code}): mend slack_token first.` });
}
