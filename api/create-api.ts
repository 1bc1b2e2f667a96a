import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { createHash } from 'node:crypto';
import fastify, { LogController } from 'fastify';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  FastifyServerOptions,
} from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { Registry } from 'prom-client';
import { TooManyRequestsError } from '../domain/errors.ts';
import { MAX_BODY_BYTES } from '../protocol/limits.ts';
import type { Context } from '../services/context.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { registerAuthentication } from './plugins/authenticate.ts';
import { registerDocumentation } from './plugins/documentation.ts';
import { registerJsonBody } from './plugins/json-body.ts';
import { registerMetrics } from './plugins/metrics.ts';
import { registerProblems, sendProblem, toProblem } from './plugins/problem.ts';
import { requireRouteAccess } from './route-access.ts';
import type { RegisteredRoute } from './route-access.ts';
import { createActionRoutes } from './routes/actions/index.ts';
import { createAgentRoutes } from './routes/agents/index.ts';
import { createAuditRoutes } from './routes/audit/index.ts';
import { createDeadLetterRoutes } from './routes/dead-letters/index.ts';
import { createHaltRoutes } from './routes/halts/index.ts';
import { createHealthRoutes } from './routes/health/index.ts';
import { createQueueRoutes } from './routes/queue/index.ts';
import { createServerRoutes } from './routes/servers/index.ts';

export interface ApiOptions {
  ctx: Context;
  /** More routes, each plugin in a context of its own; below `/slack/` they recognise their callers themselves. */
  plugins?: readonly FastifyPluginAsync[];
  /** PEM texts. */
  tls?: { cert: string; key: string } | null;
  /** One proxy stands in front: the address it saw counts. */
  isBehindProxy?: boolean;
  registry?: Registry;
  /** False for a process that serves its plugins only, such as a bot that runs alone. */
  hasApiRoutes?: boolean;
  version?: string;
  /** By token, else by address. */
  requestsPerMinute?: number;
}

/** All routes, before anything was registered in their place: `api.medicRoutes`. */
declare module 'fastify' {
  interface FastifyInstance {
    medicRoutes: readonly RegisteredRoute[];
  }
}

const REQUESTS_PER_MINUTE = 3_000; // a script that polls every 50 ms still passes
const REQUEST_TIMEOUT_MS = 15_000; // to receive a whole request; a held answer is not meant
const KEEP_ALIVE_MS = 72_000; // longer than the 60 s of common proxies, so that they close first

/**
 * The HTTP edge, not listening yet. `close()` answers held heartbeats at once and lets the others finish. Every route
 * says who may call it, or its registration throws.
 */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const { ctx, registry = new Registry() } = options;
  const app = createServer(options);
  const stopping = new AbortController();
  app.addHook('preClose', (done) => {
    stopping.abort();
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    // A connection that was busy when we stopped would else be kept alive, and stopping would wait for it.
    if (stopping.signal.aborted) void reply.header('connection', 'close');
    done(null, payload);
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorate('medicRoutes', requireRouteAccess(app));
  registerProblems(app);
  registerJsonBody(app, ({ routeOptions }) =>
    routeOptions.config.access === 'agent' ? Infinity : ctx.config.current().limits.bodyBytes,
  );
  await registerProtection(app, options);
  registerAuthentication(app, ctx);
  registerMetrics(app, { ctx, registry });
  await registerDocumentation(app, { version: options.version ?? '0.0.0' });
  await app.register(createHealthRoutes(ctx, registry));
  if (options.hasApiRoutes !== false) await app.register(createV1Routes(ctx, stopping.signal), { prefix: '/api/v1' });
  for (const plugin of options.plugins ?? []) await app.register(plugin);
  return app;
}

function createV1Routes(ctx: Context, stopping: AbortSignal): FastifyPluginAsync {
  return async (v1) => {
    await v1.register(createAgentRoutes(ctx, stopping));
    await v1.register(createServerRoutes(ctx));
    await v1.register(createHaltRoutes(ctx));
    await v1.register(createActionRoutes(ctx));
    await v1.register(createQueueRoutes(ctx));
    await v1.register(createDeadLetterRoutes(ctx));
    await v1.register(createAuditRoutes(ctx));
  };
}

function createServer(options: ApiOptions): FastifyInstance {
  const settings: FastifyServerOptions = {
    loggerInstance: options.ctx.log as FastifyBaseLogger,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      void sendProblem(reply as FastifyReply, toProblem(error, request as FastifyRequest));
    },
    logController: new LogController({ disableRequestLogging: true }), // metrics count them; held heartbeats would fill the log
    trustProxy: options.isBehindProxy === true ? (_address, hop) => hop === 0 : false,
  };
  const tls = options.tls ?? null;
  if (tls === null) return fastify(settings);
  return fastify({ ...settings, https: tls } as FastifyServerOptions);
}

async function registerProtection(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const isEncrypted = (options.tls ?? null) !== null || options.isBehindProxy === true;
  await app.register(helmet, {
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } }, // plain http on loopback stays as it is
    strictTransportSecurity: isEncrypted,
  });
  await app.register(rateLimit, {
    max: options.requestsPerMinute ?? REQUESTS_PER_MINUTE,
    timeWindow: '1 minute',
    keyGenerator: ({ headers, ip }) =>
      headers.authorization === undefined ? ip : createHash('sha256').update(headers.authorization).digest('base64'),
    errorResponseBuilder: (_request, { ttl }) =>
      new TooManyRequestsError('Too many requests: wait as long as Retry-After says.', {
        code: 'too_many_requests',
        details: { retry_after_s: Math.ceil(ttl / 1000) },
      }),
  });
}
