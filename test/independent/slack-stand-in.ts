import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './http-exchange.ts';

export const TEAM = 'T0OURTEAM';
export const CHANNEL = 'C0MEDIC';
export const APP = 'A0MEDIC';
export const BOT_TOKEN = 'xoxb-independent-stand-in';
const BOT_USER = 'U0MEDIC';

export interface SlackMessage {
  channel: string;
  ts: string;
  text: string;
  blocks: Json[];
  metadata: Json;
  /** How often chat.update changed it. */
  edits: number;
}

/** What only one person saw: ephemeral posts, direct messages, response_url answers, opened forms. */
export interface PrivateAnswer {
  user: string | undefined;
  text: string;
}

export interface SlackCall {
  method: string;
  args: Json;
  isAuthorised: boolean;
}

export interface SlackStandIn {
  /** The value for SLACK_API_URL. */
  apiUrl: string;
  responseUrl(user: string): string;
  messages(channel: string): SlackMessage[];
  cardsOf(actionId: string): SlackMessage[];
  privateAnswers(user: string): string[];
  openedViews(): Json[];
  calls: SlackCall[];
  close(): Promise<void>;
}

interface Workspace {
  messages: SlackMessage[];
  privates: PrivateAnswer[];
  views: Json[];
  calls: SlackCall[];
  nextTs: number;
}

/** Just enough of Slack's Web API for an app that posts, edits, answers privately and opens forms. */
export async function startSlackStandIn(): Promise<SlackStandIn> {
  const workspace: Workspace = { messages: [], privates: [], views: [], calls: [], nextTs: 1 };
  const server = createServer((incoming, outgoing) => {
    serve(workspace, incoming, outgoing).catch((error: unknown) => {
      outgoing.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    apiUrl: `${origin}/api/`,
    responseUrl: (user) => `${origin}/response/${user}/${workspace.nextTs++}`,
    messages: (channel) => workspace.messages.filter((message) => message.channel === channel),
    cardsOf: (actionId) =>
      workspace.messages.filter((message) => message.metadata?.event_payload?.action_id === actionId),
    privateAnswers: (user) => workspace.privates.filter((answer) => answer.user === user).map(({ text }) => text),
    openedViews: () => workspace.views,
    calls: workspace.calls,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(workspace: Workspace, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const args = parseArguments(incoming, await readBody(incoming));
  const path = new URL(incoming.url ?? '/', 'http://stand.in').pathname;
  const [, kind, name] = path.split('/');
  if (kind === 'response') {
    workspace.privates.push({ user: name, text: JSON.stringify(args) });
    outgoing.writeHead(200).end('ok');
    return;
  }
  const isAuthorised = incoming.headers.authorization === `Bearer ${BOT_TOKEN}` || args.token === BOT_TOKEN;
  workspace.calls.push({ method: name ?? '', args, isAuthorised });
  const answer = isAuthorised ? answerMethod(workspace, name ?? '', args) : { ok: false, error: 'invalid_auth' };
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

function answerMethod(workspace: Workspace, method: string, args: Json): Json {
  switch (method) {
    case 'auth.test':
      return { ok: true, url: 'https://ours.slack.test/', team: 'ours', team_id: TEAM, ...BOT_IDENTITY };
    case 'chat.postMessage':
      return post(workspace, args);
    case 'chat.update':
      return edit(workspace, args);
    case 'chat.postEphemeral':
      workspace.privates.push({ user: args.user, text: JSON.stringify(args) });
      return { ok: true, message_ts: stamp(workspace) };
    case 'chat.getPermalink':
      return { ok: true, channel: args.channel, permalink: `https://ours.slack.test/${args.message_ts}` };
    case 'conversations.open':
      return { ok: true, channel: { id: `D${args.users}` } };
    case 'conversations.history':
      return { ok: true, messages: workspace.messages.map(asSlackMessage).toReversed(), has_more: false };
    case 'users.info':
      return { ok: true, user: { id: args.user, team_id: TEAM, deleted: false, is_bot: false, is_restricted: false } };
    case 'usergroups.users.list':
      return { ok: false, error: 'no_such_subteam' };
    case 'views.open':
    case 'views.push':
    case 'views.update':
    case 'views.publish':
      return { ok: true, view: keepView(workspace, args) };
    default:
      return { ok: false, error: 'unknown_method' };
  }
}

const BOT_IDENTITY = { user: 'medic', user_id: BOT_USER, bot_id: 'B0MEDIC', app_id: APP, is_enterprise_install: false };

function post(workspace: Workspace, args: Json): Json {
  const message: SlackMessage = { channel: args.channel, ts: stamp(workspace), ...contentOf(args), edits: 0 };
  workspace.messages.push(message);
  if (/^[UD]/.test(message.channel)) {
    workspace.privates.push({ user: message.channel.replace(/^D/, ''), text: JSON.stringify(args) });
  }
  return { ok: true, channel: message.channel, ts: message.ts, message: asSlackMessage(message) };
}

function edit(workspace: Workspace, args: Json): Json {
  const message = workspace.messages.find(({ channel, ts }) => channel === args.channel && ts === args.ts);
  if (message === undefined) return { ok: false, error: 'message_not_found' };
  const content = contentOf(args);
  // As at Slack: an update that names no metadata leaves it as it was.
  Object.assign(message, content, { metadata: content.metadata ?? message.metadata, edits: message.edits + 1 });
  return { ok: true, channel: message.channel, ts: message.ts, text: message.text };
}

function keepView(workspace: Workspace, args: Json): Json {
  const view = { ...args.view, id: `V${workspace.nextTs++}`, team_id: TEAM, app_id: APP, bot_id: 'B0MEDIC', hash: 'h' };
  workspace.views.push(view);
  return view;
}

function contentOf(args: Json): { text: string; blocks: Json[]; metadata: Json } {
  return { text: args.text ?? '', blocks: args.blocks ?? [], metadata: args.metadata };
}

/** The message as Slack shows it to apps, in answers and in interaction payloads. */
export function asSlackMessage(message: SlackMessage): Json {
  const { ts, text, blocks, metadata } = message;
  return { type: 'message', user: BOT_USER, bot_id: 'B0MEDIC', app_id: APP, team: TEAM, ts, text, blocks, metadata };
}

function stamp(workspace: Workspace): string {
  return `${Math.floor(Date.now() / 1000)}.${String(workspace.nextTs++).padStart(6, '0')}`;
}

function parseArguments(incoming: IncomingMessage, text: string): Json {
  if (incoming.headers['content-type']?.includes('application/json')) return JSON.parse(text === '' ? '{}' : text);
  const query = new URL(incoming.url ?? '/', 'http://stand.in').searchParams;
  const args: Json = {};
  for (const [key, value] of [...query, ...new URLSearchParams(text)])
    args[key] = /^[[{]/.test(value) ? JSON.parse(value) : value;
  return args;
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
