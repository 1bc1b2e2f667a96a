import type { NativeConnection } from '@temporalio/worker';
import type { FastifyPluginAsync } from 'fastify';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import { createApi } from '../api/create-api.ts';
import { createBot } from '../bot/bot.ts';
import type { Environment } from '../services/config/environment.ts';
import type { Context } from '../services/context.ts';
import { startCheckpointer } from '../services/audit/checkpointer.ts';
import { startPump } from '../services/pump.ts';
import { startWorker } from '../worker/worker.ts';
import { TASK_QUEUE } from '../workflows/contracts/action.contract.ts';
import type { Part } from './control-plane.ts';
import type { StopList } from './stop-list.ts';
import { loadWorkflowBundle } from './workflow-bundle.ts';

const { version: VERSION } = packageJson;

export interface PartsInput {
  parts: ReadonlySet<Part>;
  ctx: Context;
  environment: Environment;
  log: Logger;
  native: NativeConnection | null;
  stops: StopList;
  workflowBundlePath?: string;
}

/** Worker first, so that what the API takes is carried on at once; stopped in reverse, so that nothing new comes in. */
export async function startParts(input: PartsInput): Promise<{ url: string | null; died: Promise<Error> }> {
  const { died } = await startWorkerPart(input);
  const slackHttp = startBotPart(input);
  const url = await startApiPart(input, slackHttp);
  return { url, died };
}

async function startWorkerPart(input: PartsInput): Promise<{ died: Promise<Error> }> {
  const { native, ctx, environment, stops, parts } = input;
  const never = new Promise<Error>(() => undefined);
  if (!parts.has('worker') || native === null) return { died: never };
  const workflowBundle =
    input.workflowBundlePath === undefined ? await loadWorkflowBundle() : { codePath: input.workflowBundlePath };
  const worker = await startWorker({
    database: ctx.database,
    connection: native,
    namespace: environment.temporal.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle,
  });
  stops.add('the worker', () => worker.stop());
  const pump = startPump(ctx);
  stops.add('the pump', () => pump.stop());
  const died = new Promise<Error>((resolve) => {
    worker.ended.catch((error: unknown) => {
      resolve(error instanceof Error ? error : new Error(String(error)));
    });
  });
  return { died };
}

/** The plugin that serves Slack's requests, where they come over HTTP. */
function startBotPart({ parts, ctx, environment, stops }: PartsInput): FastifyPluginAsync | null {
  const { botToken, appToken, signingSecret, apiUrl, channel } = environment.slack;
  if (!parts.has('bot') || botToken === null || channel === null) return null;
  const bot = createBot({
    ctx,
    slack: {
      botToken,
      appToken: appToken ?? undefined,
      signingSecret: signingSecret ?? undefined,
      apiUrl: apiUrl ?? undefined,
      channel,
    },
  });
  stops.add('the bot', () => bot.stop());
  bot.start();
  return bot.fastifyPlugin;
}

/** Slack over HTTP comes in at the API's door; a bot that runs alone opens it for Slack only. */
async function startApiPart(input: PartsInput, slackHttp: FastifyPluginAsync | null): Promise<string | null> {
  const { parts, ctx, environment, stops } = input;
  if (!parts.has('api') && slackHttp === null) return null;
  const api = await createApi({
    ctx,
    plugins: slackHttp === null ? [] : [slackHttp],
    tls: environment.tls,
    isBehindProxy: environment.isBehindProxy,
    registry: new Registry(),
    hasApiRoutes: parts.has('api'),
    version: VERSION,
  });
  stops.add('the API', () => api.close());
  if (parts.has('api')) {
    const checkpointer = startCheckpointer(ctx); // here, as the API is what needs the signing key
    stops.add('the checkpointer', () => checkpointer.stop());
  }
  return api.listen({ host: environment.listen.host, port: environment.listen.port });
}
