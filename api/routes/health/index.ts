import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import type { Context } from '../../../services/context.ts';
import { findMissing } from '../../../services/readiness.ts';
import { bearer, problems } from '../../schemas.ts';
import * as schemas from './schemas.ts';

/** For load balancers, service managers and Prometheus. */
export function createHealthRoutes(ctx: Context, registry: Registry): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/healthz',
      {
        config: { access: 'open' },
        schema: { tags: ['health'], summary: 'The process answers', response: { 200: schemas.healthJson } },
      },
      () => ({ status: 'ok' as const }),
    );
    app.get(
      '/readyz',
      {
        config: { access: 'open' },
        schema: {
          tags: ['health'],
          summary: 'Database and Temporal answer; 503 names what is missing',
          response: { 200: schemas.readyJson, 503: schemas.readyJson },
        },
      },
      async (_request, reply) => {
        const missing = await findMissing(ctx);
        const status = missing.length === 0 ? ('ready' as const) : ('not_ready' as const);
        return reply.status(missing.length === 0 ? 200 : 503).send({ status, missing });
      },
    );
    app.get(
      '/metrics',
      {
        config: { access: 'loopback' },
        schema: { tags: ['health'], security: bearer, summary: 'For Prometheus', response: problems },
      },
      async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
    );
    return Promise.resolve();
  };
}
