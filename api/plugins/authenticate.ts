import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NotAllowedError, TooManyRequestsError, UnauthenticatedError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { mayDo, rolesThatMay } from '../../domain/roles.ts';
import type { Permission } from '../../domain/roles.ts';
import { isLoopbackHost } from '../../services/config/listen-address.ts';
import type { Context } from '../../services/context.ts';
import { authenticateToken } from '../../services/tokens/authenticate-token.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on routes that take no token. */
    asker: Asker | null;
  }
}

const FAILURES_PER_MINUTE = 300; // from one address; guessing 256 bits is hopeless, but each try costs a query

/** Asks for a token where the route's `access` names permissions, and sets `request.asker`. */
export function registerAuthentication(app: FastifyInstance, ctx: Context): void {
  app.decorateRequest('asker', null);
  const countFailure = app.createRateLimit({
    max: FAILURES_PER_MINUTE,
    timeWindow: '1 minute',
    keyGenerator: (request) => `failed:${request.ip}`,
  });
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const { access, isJudgedByService = false } = request.routeOptions.config;
    const isLocal = access === 'loopback' && isLoopbackHost(request.ip) && request.headers.authorization === undefined;
    if (access === undefined || isLocal || (typeof access === 'string' && access !== 'loopback')) return;
    request.asker = await authenticate(request);
    if (!isJudgedByService) authoriseAny(request.asker, access === 'loopback' ? ['servers.read'] : access);
  });

  async function authenticate(request: FastifyRequest): Promise<Asker> {
    try {
      return await authenticateToken(ctx, request.headers.authorization);
    } catch (error) {
      if (error instanceof UnauthenticatedError) {
        const count = await countFailure(request);
        if (!count.isAllowed && count.isExceeded) throw tooMany(count.ttlInSeconds);
      }
      throw error;
    }
  }
}

/** The asker of a route that takes a token. */
export function readAsker(request: FastifyRequest): Asker {
  if (request.asker === null) throw new Error(`${request.routeOptions.url ?? 'This route'} takes no token.`);
  return request.asker;
}

function authoriseAny(asker: Asker, permissions: readonly Permission[]): void {
  if (permissions.some((permission) => mayDo(asker.roles, permission))) return;
  const roles = [...new Set(permissions.flatMap(rolesThatMay))].join(' or ');
  const message = `${asker.principal.name} may not do this with this token: it takes the role ${roles}.`;
  throw new NotAllowedError(message, { code: 'role_missing' });
}

function tooMany(retryAfterS: number): TooManyRequestsError {
  return new TooManyRequestsError('Too many failed attempts from this address: wait a little.', {
    code: 'too_many_failures',
    details: { retry_after_s: retryAfterS },
  });
}
