import fastify from 'fastify';
import { createBot } from '../../bot/bot.ts';
import type { Bot } from '../../bot/bot.ts';
import { createManifest } from '../../bot/manifest.ts';
import { createSlackDirectory } from '../../bot/slack-directory.ts';
import { readOutboxBacklog } from '../../db/repositories/outbox.repository.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace, SlackWorkspaceOptions, StoredMessage } from '../../sandbox/slack/workspace.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

export const CHANNEL = 'C0MEDIC';
export const TOKENS = { botToken: 'xoxb-test', appToken: 'xapp-test', signingSecret: 'secret' };

/** Only named in the manifest: the stand-in is told the bot's real address. */
const PUBLIC_URL = 'https://medic.example';

export type Mode = 'socket' | 'http';

/** The bot on real services, talking to a stand-in of Slack. */
export interface BotStage {
  plane: TestControlPlane;
  slack: SlackWorkspace;
  startBot(): Promise<Bot>;
  stop(): Promise<void>;
}

export async function openBotStage(
  input: { mode?: Mode; hasWorker?: boolean; workspace?: Partial<SlackWorkspaceOptions> } = {},
): Promise<BotStage> {
  const plane = await createTestControlPlane();
  if (input.hasWorker !== false) await plane.startWorker();
  const manifest =
    input.mode === 'http' ? createManifest({ mode: 'http', url: PUBLIC_URL }) : createManifest({ mode: 'socket' });
  const slack = await startSlackWorkspace({ port: 0, ...TOKENS, manifest, ...input.workspace });
  plane.ctx.slackDirectory = createSlackDirectory({
    token: TOKENS.botToken,
    apiUrl: slack.apiUrl,
    log: plane.ctx.log,
  });
  const closers: (() => Promise<unknown>)[] = [];
  const startBot = async (): Promise<Bot> => {
    const { appToken, ...httpTokens } = TOKENS;
    const tokens = input.mode === 'http' ? httpTokens : { ...TOKENS, appToken };
    const bot = createBot({ ctx: plane.ctx, slack: { ...tokens, apiUrl: slack.apiUrl, channel: CHANNEL } });
    closers.push(() => bot.stop());
    if (bot.fastifyPlugin !== null) {
      const server = fastify();
      await server.register(bot.fastifyPlugin);
      closers.push(() => server.close());
      slack.setHttpEventsUrl(`${await server.listen({ port: 0, host: '127.0.0.1' })}/slack/events`);
    }
    const before = slack.connections();
    bot.start();
    if (bot.fastifyPlugin === null) await slack.waitFor((ws) => ws.connections() > before, { what: 'a connection' });
    return bot;
  };
  return {
    plane,
    slack,
    startBot,
    stop: async () => {
      for (const close of closers.reverse()) await close();
      await slack.stop();
      await plane.stop();
    },
  };
}

export const actionIdOf = (message: StoredMessage): string =>
  (message.metadata as { event_payload: { action_id: string } }).event_payload.action_id;

export const statusOf = (message: StoredMessage): string =>
  (message.metadata as { event_payload: { status: string } }).event_payload.status;

export const firstBlockId = (message: StoredMessage): unknown => message.blocks?.[0]?.['block_id'];

export const buttonsOf = (message: StoredMessage): string[] =>
  (message.blocks ?? [])
    .flatMap((block) => [
      ...((block['elements'] as object[] | undefined) ?? []),
      (block['accessory'] as object | undefined) ?? {},
    ])
    .flatMap((element) => ('action_id' in element ? [String(element.action_id)] : []));

export const cardsOf = (slack: SlackWorkspace): StoredMessage[] =>
  slack.messages(CHANNEL).filter((message) => firstBlockId(message) === 'medic_card');

export const noticesOf = (slack: SlackWorkspace): StoredMessage[] =>
  slack.messages(CHANNEL).filter((message) => firstBlockId(message) === 'medic_notice');

/** What the person was told privately since, newest last; waits until it was told something that matches. */
export function waitForAnswer(slack: SlackWorkspace, user: string, pattern: RegExp): Promise<string> {
  const find = (): string | undefined => slack.ephemerals(user).findLast(({ text }) => pattern.test(text))?.text;
  return slack.waitFor(find, { what: `${user} to be told ${String(pattern)}` }).catch((cause: unknown) => {
    const told = slack.ephemerals(user).map(({ text }) => text);
    throw new Error(`${user} was told ${JSON.stringify(told)}, not ${String(pattern)}`, { cause });
  });
}

/** Until nothing is owed to Slack any more. */
export async function waitUntilSettled({ plane }: BotStage, timeoutMs = 40_000): Promise<void> {
  const isSettled = async (): Promise<boolean> => (await readOutboxBacklog(plane.ctx.database)).count === 0;
  await poll('all messages to be sent', isSettled, { timeoutMs });
}

export function waitForCard(slack: SlackWorkspace, server: string, status: string): Promise<StoredMessage> {
  const find = (): StoredMessage | undefined =>
    cardsOf(slack).find((card) => JSON.stringify(card.blocks).includes(server) && statusOf(card) === status);
  return slack.waitFor(find, { timeoutMs: 15_000, what: `a card of ${server} that is ${status}` });
}

/** A server, and with it a new scene: what was asked for before was asked long ago, so that no batch comes of it. */
export async function addServer(
  stage: BotStage,
  isPaused: boolean,
): Promise<{ name: string; id: string; run(result?: object): Promise<void> }> {
  await stage.plane.ctx.database.pool.query(`update actions set requested_at = requested_at - interval '2 minutes'`);
  const { id, name } = await insertTestServer(stage.plane.ctx, { isPaused });
  const agent = createScriptedAgent(stage.plane.ctx, id);
  return {
    name,
    id,
    run: async (result = {}) => {
      const command = await agent.fetchCommand();
      await agent.beatOnce({ running: [command.command_id] });
      await agent.beatOnce({ results: [createResult(command, result)] });
    },
  };
}
