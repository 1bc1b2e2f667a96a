import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Context } from '../../../services/context.ts';
import { declareHalt } from '../../../services/halts/declare-halt.ts';
import { liftHalt } from '../../../services/halts/lift-halt.ts';
import { listHalts } from '../../../services/halts/read-halts.ts';
import { answerOnce } from '../../plugins/answer-once.ts';
import { readAsker } from '../../plugins/authenticate.ts';
import { bearer, idempotencyHeaders, pageOf, problems } from '../../schemas.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['halts'], security: bearer };

export function createHaltRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/halts',
      {
        config: { access: ['servers.read'] },
        schema: {
          ...common,
          summary: 'Halts, the latest first',
          querystring: schemas.haltsQuery,
          response: { 200: pageOf(schemas.haltJson), ...problems },
        },
      },
      async (request) => {
        const { standing: isStandingOnly, ...page } = request.query;
        const { items, next } = await listHalts(ctx, readAsker(request), { ...page, isStandingOnly });
        return { items: items.map(schemas.toHaltJson), next };
      },
    );
    await app.register(createDeclareRoute(ctx));
    await app.register(createLiftRoute(ctx));
  };
}

function createDeclareRoute(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/halts',
      {
        config: { access: ['halts.declare'] },
        schema: {
          ...common,
          summary: 'From now on nothing starts: anywhere, on servers with a tag, or of one playbook',
          headers: idempotencyHeaders,
          body: schemas.declareBody,
          response: { 200: schemas.haltJson, 201: schemas.haltJson, ...problems },
        },
      },
      (request, reply) => {
        const { until, ...body } = request.body;
        const input = { ...body, until: until === undefined ? undefined : new Date(until) };
        const run = async (requestKey?: string) =>
          schemas.toHaltJson(await declareHalt(ctx, readAsker(request), { ...input, requestKey }));
        return answerOnce(ctx, { request, reply }, { status: 201, run });
      },
    );
    return Promise.resolve();
  };
}

function createLiftRoute(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/halts/:id/lift',
      {
        config: { access: ['halts.declare'] },
        schema: {
          ...common,
          summary: 'Ends a halt; what waited there is cancelled, not released',
          headers: idempotencyHeaders,
          params: schemas.haltId,
          body: schemas.liftBody,
          response: { 200: schemas.haltJson, ...problems },
        },
      },
      (request, reply) => {
        const input = { id: request.params.id, reason: request.body.reason };
        const run = async () => schemas.toHaltJson(await liftHalt(ctx, readAsker(request), input));
        return answerOnce(ctx, { request, reply }, { status: 200, run });
      },
    );
    return Promise.resolve();
  };
}
