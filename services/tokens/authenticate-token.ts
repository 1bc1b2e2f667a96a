import { findUsableApiToken, touchApiToken } from '../../db/repositories/token.repository.ts';
import { durably } from '../../domain/durable-step.ts';
import { NotAllowedError, UnauthenticatedError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { hashSecret } from './token-secret.ts';

const TOUCH_GRACE_MS = 60_000; // last_used_at is exact to a minute, so that reading does not become writing
const BEARER = /^Bearer (medic_[A-Za-z0-9_-]{20,200})$/i;

/**
 * Who asks, with the one role of their token. Throws UnauthenticatedError `unauthenticated` (no token, unknown,
 * revoked, expired: all alike, and also where its principal has left medic.yaml), NotAllowedError `role_lost` where
 * the principal no longer has the token's role.
 */
export async function authenticateToken(ctx: Context, authorization: string | undefined): Promise<Asker> {
  const secret = BEARER.exec(authorization ?? '')?.[1];
  if (secret === undefined) {
    throw unauthenticated('This needs a token: send `Authorization: Bearer medic_…`.');
  }
  const now = new Date();
  const row = await findUsableApiToken(ctx.database, hashSecret(secret), now);
  if (row === null) throw unauthenticated('The token is unknown, revoked or expired.');
  const principal = ctx.config.current().principals.get(row.principal);
  if (principal === undefined) throw unauthenticated('The token is unknown, revoked or expired.');
  const role = principal.roles.find((held) => held === row.role);
  if (role === undefined) {
    const message = `${principal.name} does not have the role ${row.role} any more, so this token opens nothing.`;
    throw new NotAllowedError(message, { code: 'role_lost' });
  }
  const isFresh = row.last_used_at !== null && now.getTime() - row.last_used_at.getTime() < TOUCH_GRACE_MS;
  if (!isFresh) {
    await durably('token.touch', () => touchApiToken(ctx.database, { id: row.id, now, graceMs: TOUCH_GRACE_MS }));
  }
  return { principal, roles: [role], via: 'api' };
}

function unauthenticated(message: string): UnauthenticatedError {
  return new UnauthenticatedError(message, { code: 'unauthenticated' });
}
