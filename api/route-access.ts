import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Permission } from '../domain/roles.ts';

/**
 * Who may call a route: the holder of a token whose role has one of these permissions; or somebody whom the route
 * itself recognises (`agent`: by its JWT, `enrollment`: by a one-time token, `slack`: by the signature of the raw
 * body); or anyone (`open`); or anyone on this machine and else a viewer (`loopback`).
 */
export type RouteAccess = readonly Permission[] | 'agent' | 'enrollment' | 'slack' | 'open' | 'loopback';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** The use case judges, and audits who was refused; the edge only asks for a token. */
    isJudgedByService?: boolean;
  }
}

/** Routes of plugins that cannot say it themselves. */
const FOREIGN_ROUTES: readonly { url: RegExp; access: RouteAccess }[] = [
  { url: /^\/docs(?:\/|$)/, access: 'open' },
  { url: /^\/openapi\.json$/, access: 'open' },
  { url: /^\/slack\//, access: 'slack' },
];

export interface RegisteredRoute {
  method: string;
  url: string;
  access: RouteAccess;
}

/** A route that says not who may call it fails at its registration. Gives the list of all routes, as it grows. */
export function requireRouteAccess(app: FastifyInstance): RegisteredRoute[] {
  const routes: RegisteredRoute[] = [];
  app.addHook('onRoute', (route: RouteOptions) => {
    const access = route.config?.access ?? FOREIGN_ROUTES.find(({ url }) => url.test(route.url))?.access;
    if (access === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} does not say who may call it: config.access.`);
    }
    route.config = { ...route.config, access };
    for (const method of [route.method].flat()) routes.push({ method, url: route.url, access });
  });
  return routes;
}
