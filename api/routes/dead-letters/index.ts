import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Context } from '../../../services/context.ts';
import { dismissDeadLetter } from '../../../services/dead-letters/dismiss.ts';
import { listDeadLetters } from '../../../services/dead-letters/read-dead-letters.ts';
import { replayMany } from '../../../services/dead-letters/replay-many.ts';
import { replayAction } from '../../../services/dead-letters/replay.ts';
import { answerOnce } from '../../plugins/answer-once.ts';
import { readAsker } from '../../plugins/authenticate.ts';
import { bearer, idempotencyHeaders, pageOf, problems } from '../../schemas.ts';
import { actionId, actionJson, toActionJson } from '../actions/schemas.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['dead letters'], security: bearer };

/** What was given up on: list, replay one or many, dismiss. One of them is shown as the action that it is. */
export function createDeadLetterRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(createListRoute(ctx));
    await app.register(createReplayRoute(ctx));
    await app.register(createReplayManyRoute(ctx));
    await app.register(createDismissRoute(ctx));
  };
}

function createListRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.get(
      '/dead-letters',
      {
        config: { access: ['actions.read', 'actions.read_own'] },
        schema: {
          ...common,
          summary: 'What was given up on and waits to be replayed or dismissed, newest first',
          querystring: schemas.deadLetterQuery,
          response: { 200: pageOf(actionJson), ...problems },
        },
      },
      async (request) => {
        const { items, next } = await listDeadLetters(ctx, readAsker(request), request.query);
        return { items: items.map(toActionJson), next };
      },
    );
    return Promise.resolve();
  };
}

const documented = { ...common, headers: idempotencyHeaders };

function createReplayRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/actions/:id/replay',
      {
        config: { access: ['dead_letters.settle'] },
        schema: {
          ...documented,
          summary: 'Ask for a dead letter again, under today’s rules',
          params: actionId,
          body: schemas.replayBody,
          response: { 200: schemas.replayJson, 201: schemas.replayJson, ...problems },
        },
      },
      (request, reply) => {
        const input = { actionId: request.params.id, reason: request.body.reason };
        const run = async (requestKey?: string) =>
          schemas.toReplayJson(await replayAction(ctx, readAsker(request), { ...input, requestKey }));
        return answerOnce(ctx, { request, reply }, { status: 201, run });
      },
    );
    return Promise.resolve();
  };
}

function createReplayManyRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/dead-letters/replay',
      {
        config: { access: ['dead_letters.settle'] },
        schema: {
          ...documented,
          summary: 'Replay the latest that match, each by itself; an empty filter is an error',
          body: schemas.replayManyBody,
          response: { 200: schemas.replayManyJson, ...problems },
        },
      },
      (request, reply) => {
        const { limit, reason, ...filter } = request.body;
        const run = async (requestKey?: string) =>
          schemas.toReplayManyJson(await replayMany(ctx, readAsker(request), { filter, limit, reason, requestKey }));
        return answerOnce(ctx, { request, reply }, { status: 200, run });
      },
    );
    return Promise.resolve();
  };
}

function createDismissRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/actions/:id/dismiss',
      {
        config: { access: ['dead_letters.settle'] },
        schema: {
          ...common,
          summary: 'Say that nothing more is to be done about a dead letter, and why',
          headers: idempotencyHeaders,
          params: actionId,
          body: schemas.dismissBody,
          response: { 200: actionJson, ...problems },
        },
      },
      (request, reply) => {
        const input = { actionId: request.params.id, reason: request.body.reason };
        const run = async () => toActionJson(await dismissDeadLetter(ctx, readAsker(request), input));
        return answerOnce(ctx, { request, reply }, { status: 200, run });
      },
    );
    return Promise.resolve();
  };
}
