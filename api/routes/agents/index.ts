import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { MAX_HEARTBEAT_BYTES } from '../../../protocol/limits.ts';
import { authenticateAgent } from '../../../services/agents/authenticate-agent.ts';
import { enrollAgent } from '../../../services/agents/enroll-agent.ts';
import { exchangeHeartbeat } from '../../../services/agents/exchange-heartbeat.ts';
import { createHeartbeatRate } from '../../../services/agents/heartbeat-rate.ts';
import type { Context } from '../../../services/context.ts';
import { problems } from '../../schemas.ts';
import * as schemas from './schemas.ts';

/** The messages are read by the protocol's own checks; the schemas here only describe them. */
const unchecked = {
  validatorCompiler: () => (value: unknown) => ({ value }),
  serializerCompiler: () => JSON.stringify,
};

/** `stopping` answers every held heartbeat at once. */
export function createAgentRoutes(ctx: Context, stopping: AbortSignal): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(createEnrolmentRoute(ctx));
    await app.register(createHeartbeatRoute(ctx, stopping));
  };
}

function createEnrolmentRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/agents/enroll',
      {
        ...unchecked,
        config: { access: 'enrollment' },
        schema: {
          tags: ['agents'],
          summary: 'Enrol, with a one-time token',
          body: schemas.enrollBody,
          response: { 201: schemas.enrollJson, ...problems },
        },
      },
      async (request, reply) => reply.status(201).send(await enrollAgent(ctx, request.body)),
    );
    return Promise.resolve();
  };
}

function createHeartbeatRoute(ctx: Context, stopping: AbortSignal): FastifyPluginAsyncZod {
  return (app) => {
    const agents = new WeakMap<object, { serverId: string; kid: string }>();
    const rate = createHeartbeatRate();
    app.post(
      '/agents/heartbeat',
      {
        ...unchecked,
        bodyLimit: MAX_HEARTBEAT_BYTES,
        config: { access: 'agent' },
        schema: {
          tags: ['agents'],
          security: [{ agent: [] }],
          summary: 'Call in; held up to wait_s until there is something to do',
          body: schemas.heartbeatBody,
          response: { 200: schemas.heartbeatJson, ...problems },
        },
        // Before the body is read: a stranger's megabyte is not.
        onRequest: async (request) => {
          const agent = await authenticateAgent(ctx, request.headers.authorization);
          rate.take({ serverId: agent.serverId, perMinute: ctx.config.current().limits.heartbeatsPerMinute });
          agents.set(request, agent);
        },
      },
      async (request, reply) => {
        const signal = AbortSignal.any([stopping, createGoneSignal(reply)]);
        const agent = agents.get(request) ?? { serverId: '', kid: '' };
        return reply.send(await exchangeHeartbeat(ctx, { ...agent, body: request.body, signal }));
      },
    );
    return Promise.resolve();
  };
}

/** Aborts when the client goes away before it is answered. */
function createGoneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
