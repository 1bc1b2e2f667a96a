import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Context } from '../../../services/context.ts';
import { readQueue } from '../../../services/queue/read-queue.ts';
import { readAsker } from '../../plugins/authenticate.ts';
import { bearer, pageQuery, problems } from '../../schemas.ts';
import { queueJson, toQueueJson } from './schemas.ts';

export function createQueueRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/queue',
      {
        config: { access: ['actions.read'] },
        schema: {
          tags: ['queue'],
          security: bearer,
          summary: 'What waits, why, since when and until when, and how full each limit is; servers by name',
          querystring: pageQuery,
          response: { 200: queueJson, ...problems },
        },
      },
      async (request) => toQueueJson(await readQueue(ctx, readAsker(request), request.query)),
    );
    return Promise.resolve();
  };
}
