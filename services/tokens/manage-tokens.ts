import { randomUUID } from 'node:crypto';
import { transact } from '../../db/orm.ts';
import * as tokens from '../../db/repositories/token.repository.ts';
import type { ApiTokenRow } from '../../db/repositories/token.repository.ts';
import { InvalidInputError, NotFoundError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Asker } from '../../domain/principal.ts';
import type { Role } from '../../domain/roles.ts';
import { ROLES } from '../../domain/roles.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { makeSecret } from './token-secret.ts';

/** A token as a list shows it; its secret is gone. */
export interface TokenView {
  id: string;
  principal: string;
  role: string;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** Exact to a minute. */
  lastUsedAt: Date | null;
}

/**
 * A token that speaks for `principal` with one of their roles. The secret is told here and never again. Throws
 * InvalidInputError `unknown_principal`, `unknown_role`, `role_not_held`, `invalid_expiry`.
 */
export async function createToken(
  ctx: Context,
  asker: Asker,
  input: { principal: string; role: string; expiresAt?: Date | undefined },
): Promise<TokenView & { token: string }> {
  authorise(asker, 'tokens.manage');
  const role = checkHolder(ctx, input);
  const expiresAt = input.expiresAt ?? null;
  if (expiresAt !== null && !(expiresAt.getTime() > Date.now())) {
    throw new InvalidInputError('A token must expire in the future, or never.', { code: 'invalid_expiry' });
  }
  const { secret, hash } = makeSecret('medic_');
  const row = await transact(ctx.database, 'token.create', async (tx) => {
    const id = randomUUID();
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'token.created',
      subject: { type: 'token', id },
      data: { principal: input.principal, role, expires_at: expiresAt?.toISOString() ?? null },
    });
    const token = { id, token_hash: hash, principal: input.principal, role, expires_at: expiresAt };
    return tokens.insertApiToken(tx, token);
  });
  return { ...toTokenView(row), token: secret };
}

/** All of them, revoked and expired ones too, oldest first. */
export async function listTokens(ctx: Context, asker: Asker): Promise<TokenView[]> {
  authorise(asker, 'tokens.manage');
  return (await tokens.listApiTokens(ctx.database)).map(toTokenView);
}

/** From now on it opens nothing. Throws NotFoundError `token_not_found`, also where it was revoked before. */
export async function revokeToken(ctx: Context, asker: Asker, input: { id: string }): Promise<TokenView> {
  authorise(asker, 'tokens.manage');
  return transact(ctx.database, 'token.revoke', async (tx) => {
    const row = await tokens.revokeApiToken(tx, input.id, new Date());
    if (row === null) {
      const message = `There is no token ${JSON.stringify(input.id.slice(0, 64))} in use; \`medic token list\` shows them.`;
      throw new NotFoundError(message, { code: 'token_not_found' });
    }
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'token.revoked',
      subject: { type: 'token', id: row.id },
      data: { principal: row.principal, role: row.role },
    });
    return toTokenView(row);
  });
}

function checkHolder(ctx: Context, input: { principal: string; role: string }): Role {
  const { principals } = ctx.config.current();
  const holder = principals.get(input.principal);
  if (holder === undefined) {
    const hint = suggestNearest(input.principal, principals.keys());
    const message = `There is no principal ${JSON.stringify(input.principal.slice(0, 80))} in medic.yaml.${hint}`;
    throw new InvalidInputError(message, { code: 'unknown_principal' });
  }
  const role = ROLES.find((candidate) => candidate === input.role);
  if (role === undefined) {
    const hint = suggestNearest(input.role, ROLES) || ` Known: ${ROLES.join(', ')}.`;
    const message = `There is no role ${JSON.stringify(input.role.slice(0, 40))}.${hint}`;
    throw new InvalidInputError(message, { code: 'unknown_role' });
  }
  if (!holder.roles.includes(role)) {
    const message = `${holder.name} does not have the role ${role}, only ${holder.roles.join(', ')}.`;
    throw new InvalidInputError(message, { code: 'role_not_held' });
  }
  return role;
}

function toTokenView(row: ApiTokenRow): TokenView {
  return {
    id: row.id,
    principal: row.principal,
    role: row.role,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
