import type { Asker, Principal } from '../../domain/principal.ts';
import type { Context } from '../context.ts';

/** Who this Slack user is to Medic; null for nobody, and where two principals claim one id: then neither is proven. */
export function findPrincipalBySlackUser(ctx: Pick<Context, 'config'>, userId: string): Principal | null {
  const found = [...ctx.config.current().principals.values()].filter(({ slackUserId }) => slackUserId === userId);
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** In Slack a person acts with all of their roles. */
export function askInSlack(principal: Principal): Asker {
  return { principal, roles: principal.roles, via: 'slack' };
}
