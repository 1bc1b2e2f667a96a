import { App } from '@slack/bolt';
import type { Receiver } from '@slack/bolt';
import type { FastifyPluginAsync } from 'fastify';
import type { Context } from '../services/context.ts';
import type { BotDeps } from './deps.ts';
import { listen } from './listeners/index.ts';
import type { HomePump } from './homes.ts';
import { startHomePump } from './homes.ts';
import type { OutboxPump } from './outbox/pump.ts';
import { startOutboxPump } from './outbox/pump.ts';
import { createSealKey } from './seal.ts';
import { adaptLogger } from './transport/bolt-logger.ts';
import { createSlackEventsPlugin } from './transport/slack-events-plugin.ts';
import { createSocketConnection } from './transport/socket-connection.ts';
import type { SocketConnection } from './transport/socket-connection.ts';
import { startSocketReporter } from './transport/socket-report.ts';
import type { SocketReporter } from './transport/socket-report.ts';
import { createWebClient, SLACK_API_URL, webClientOptions } from './transport/web-client.ts';
import { createWorkspace } from './workspace.ts';

export interface SlackSettings {
  botToken: string;
  /** Socket Mode, the default where both are there. */
  appToken?: string | undefined;
  /** HTTP: register `fastifyPlugin`. */
  signingSecret?: string | undefined;
  apiUrl?: string | undefined;
  /** Where cards and notices stand. */
  channel: string;
}

export interface Bot {
  /** Returns at once; Slack may be away. */
  start(): void;
  /** Sends nothing more and answers nothing more; what is owed stays owed. At most three seconds. */
  stop(): Promise<void>;
  /** HTTP mode only: `POST /slack/events`. */
  fastifyPlugin: FastifyPluginAsync | null;
  /** Whether Slack can reach us; always true over HTTP, where only Slack knows. */
  isConnected(): boolean;
}

/** Slack's side of Medic. Needs neither Slack nor its answer to be made or started. */
export function createBot(input: { ctx: Context; slack: SlackSettings }): Bot {
  const { ctx, slack } = input;
  const log = ctx.log.child({ part: 'bot' });
  const apiUrl = slack.apiUrl ?? SLACK_API_URL;
  const client = createWebClient({ token: slack.botToken, apiUrl, log });
  const sealKey = createSealKey(slack.botToken);
  const deps: BotDeps = { ctx, client, workspace: createWorkspace(client), channel: slack.channel, sealKey, log };
  const transport = createTransport({ slack, apiUrl, deps });
  const app = new App({
    receiver: transport.receiver,
    authorize: () => Promise.resolve({ botToken: slack.botToken }), // `token` would ask Slack at the start
    clientOptions: webClientOptions({ apiUrl, log }),
    logger: adaptLogger(log),
    convoStore: false,
    ignoreSelf: false,
  });
  app.error((error) => {
    log.error({ err: error }, 'something that Slack sent could not be answered');
    return Promise.resolve();
  });
  listen(app, deps);
  let pump: OutboxPump | null = null;
  let homes: HomePump | null = null;
  let reporter: SocketReporter | null = null;
  return {
    start: () => {
      transport.socket?.start();
      if (transport.socket !== null) reporter ??= startSocketReporter(ctx, transport.socket);
      pump ??= startOutboxPump(deps);
      homes ??= startHomePump(deps);
    },
    stop: async () => {
      await Promise.all([transport.socket?.stop(), reporter?.stop(), pump?.stop(), homes?.stop()]);
    },
    fastifyPlugin: transport.fastifyPlugin,
    isConnected: () => transport.socket?.isConnected() ?? true,
  };
}

interface Transport {
  receiver: Receiver;
  socket: SocketConnection | null;
  fastifyPlugin: FastifyPluginAsync | null;
}

function createTransport(input: { slack: SlackSettings; apiUrl: string; deps: BotDeps }): Transport {
  const { slack, apiUrl, deps } = input;
  if (slack.appToken !== undefined) {
    const socket = createSocketConnection({ appToken: slack.appToken, apiUrl, log: deps.log });
    return { receiver: socket.receiver, socket, fastifyPlugin: null };
  }
  if (slack.signingSecret === undefined) throw new Error('The bot needs an app token or a signing secret.');
  return { ...createSlackEventsPlugin({ signingSecret: slack.signingSecret, log: deps.log }), socket: null };
}
