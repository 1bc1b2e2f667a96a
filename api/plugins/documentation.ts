import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';

/** `/openapi.json` from the routes' own schemas, and `/docs` to read it; nothing of it is loaded from elsewhere. */
export async function registerDocumentation(app: FastifyInstance, input: { version: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Medic',
        version: input.version,
        description: 'Repairing servers from chat, safely. Errors are application/problem+json with a stable `code`.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token made with `medic token create`.' },
          agent: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Minted by an enrolled agent.' },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { validatorUrl: null }, staticCSP: true });
  app.get('/openapi.json', { schema: { hide: true } as object }, (_request, reply) =>
    reply.type('application/json').serializer(JSON.stringify).send(app.swagger()),
  );
}
