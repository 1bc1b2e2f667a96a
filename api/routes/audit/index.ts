import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { listAudit, readNewestCheckpoint } from '../../../services/audit/read-audit.ts';
import type { Context } from '../../../services/context.ts';
import { readAsker } from '../../plugins/authenticate.ts';
import { bearer, pageOf, pageQuery, problems } from '../../schemas.ts';
import { auditEventJson, checkpointJson } from './schemas.ts';

export function createAuditRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/audit',
      {
        config: { access: ['audit.read'] },
        schema: {
          tags: ['audit'],
          security: bearer,
          summary: 'The audit log, oldest first; `after` is a seq',
          querystring: pageQuery,
          response: { 200: pageOf(auditEventJson), ...problems },
        },
      },
      async (request) => {
        const { items, next } = await listAudit(ctx, readAsker(request), request.query);
        return { items: items.map((event) => ({ ...event, subject: { ...event.subject } })), next };
      },
    );
    app.get(
      '/audit/checkpoint',
      {
        config: { access: ['audit.read'] },
        schema: {
          tags: ['audit'],
          security: bearer,
          summary: 'The newest signed statement of how long the audit log is, and the keys that sign',
          response: { 200: checkpointJson, ...problems },
        },
      },
      (request) => readNewestCheckpoint(ctx, readAsker(request)),
    );
    return Promise.resolve();
  };
}
