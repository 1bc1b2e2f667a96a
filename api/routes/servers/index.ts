import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Context } from '../../../services/context.ts';
import { createEnrollmentToken } from '../../../services/servers/create-enrollment-token.ts';
import { pauseServer } from '../../../services/servers/pause-server.ts';
import { getServer, listServers } from '../../../services/servers/read-servers.ts';
import { revokeServer } from '../../../services/servers/revoke-server.ts';
import { unpauseServer } from '../../../services/servers/unpause-server.ts';
import { answerOnce } from '../../plugins/answer-once.ts';
import { readAsker } from '../../plugins/authenticate.ts';
import { bearer, idempotencyHeaders, pageOf, pageQuery, problems } from '../../schemas.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['servers'], security: bearer };

export function createServerRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/servers',
      {
        config: { access: ['servers.read'] },
        schema: {
          ...common,
          summary: 'Servers, by name',
          querystring: pageQuery,
          response: { 200: pageOf(schemas.serverJson), ...problems },
        },
      },
      async (request) => {
        const { items, next } = await listServers(ctx, readAsker(request), request.query);
        return { items: items.map(schemas.toServerJson), next };
      },
    );
    app.get(
      '/servers/:id',
      {
        config: { access: ['servers.read'] },
        schema: {
          ...common,
          summary: 'One server',
          params: schemas.serverId,
          response: { 200: schemas.serverJson, ...problems },
        },
      },
      async (request) => schemas.toServerJson(await getServer(ctx, readAsker(request), request.params.id)),
    );
    await app.register(createPauseRoutes(ctx));
    await app.register(createEnrollmentRoute(ctx));
    await app.register(createRevocationRoute(ctx));
  };
}

function createPauseRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    const response = { 200: schemas.serverJson, ...problems };
    const documented = { ...common, headers: idempotencyHeaders, params: schemas.serverId, response };
    app.put(
      '/servers/:id/pause',
      {
        config: { access: ['servers.pause'] },
        schema: { ...documented, summary: 'Let every action there wait for a person', body: schemas.pauseBody },
      },
      (request, reply) => {
        const { reason, until } = request.body;
        const input = { server: request.params.id, reason, until: until === undefined ? undefined : new Date(until) };
        const run = async () => schemas.toServerJson(await pauseServer(ctx, readAsker(request), input));
        return answerOnce(ctx, { request, reply }, { status: 200, run });
      },
    );
    app.put(
      '/servers/:id/unpause',
      {
        config: { access: ['servers.pause'] },
        schema: { ...documented, summary: 'End the pause; approves nothing', body: schemas.unpauseBody },
      },
      (request, reply) => {
        const input = { server: request.params.id };
        const run = async () => schemas.toServerJson(await unpauseServer(ctx, readAsker(request), input));
        return answerOnce(ctx, { request, reply }, { status: 200, run });
      },
    );
    return Promise.resolve();
  };
}

function createRevocationRoute(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/servers/:id/revoke',
      {
        config: { access: ['servers.enroll'] },
        schema: {
          ...common,
          summary: 'Let its agent in no more; what has not ended there is cancelled',
          headers: idempotencyHeaders,
          params: schemas.serverId,
          body: schemas.revokeBody,
          response: { 200: schemas.serverJson, ...problems },
        },
      },
      (request, reply) => {
        const input = { server: request.params.id, reason: request.body.reason };
        const run = async () => schemas.toServerJson(await revokeServer(ctx, readAsker(request), input));
        return answerOnce(ctx, { request, reply }, { status: 200, run });
      },
    );
    return Promise.resolve();
  };
}

function createEnrollmentRoute(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/servers/enrollment-tokens',
      {
        config: { access: ['servers.enroll'] },
        schema: {
          ...common,
          summary: 'A one-time token with which an agent enrols',
          headers: idempotencyHeaders,
          body: schemas.enrollmentBody,
          response: { 200: schemas.enrollmentJson, 201: schemas.enrollmentJson, ...problems },
        },
      },
      (request, reply) => {
        const { server_name: serverName, tags, ttl_s: ttlS } = request.body;
        return answerOnce(
          ctx,
          { request, reply },
          {
            status: 201,
            run: async () => {
              const made = await createEnrollmentToken(ctx, readAsker(request), { serverName, tags, ttlS });
              return { token: made.token, expires_at: made.expiresAt.toISOString() };
            },
            keep: ({ expires_at }) => ({ expires_at }),
          },
        );
      },
    );
    return Promise.resolve();
  };
}
