import { randomUUID } from 'node:crypto';
import { transact } from '../../db/orm.ts';
import { insertEnrollmentToken } from '../../db/repositories/token.repository.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { FieldError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { makeSecret } from '../tokens/token-secret.ts';

/** As it stands in commands, file names and Slack: no spaces, nothing that needs quoting. */
const SERVER_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/i;
const LIKE_AN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i; // servers are addressed by name or id
const TAG = /^[a-z0-9](?:[a-z0-9._:=-]{0,62}[a-z0-9])?$/i;
const MAX_TAGS = 20;
const DEFAULT_TTL_S = 3600;
const SHORTEST_TTL_S = 60;
const LONGEST_TTL_S = 7 * 86_400; // a token that lies around longer is a key that nobody watches

/**
 * Lets one agent enrol once, as the server of this name. The token is told here and never again; only its hash is
 * stored. Throws InvalidInputError `invalid_enrollment` with every field that is wrong.
 */
export async function createEnrollmentToken(
  ctx: Context,
  asker: Asker,
  input: { serverName: string; tags?: readonly string[] | undefined; ttlS?: number | undefined },
): Promise<{ token: string; expiresAt: Date }> {
  authorise(asker, 'servers.enroll');
  const { serverName, tags = [], ttlS = DEFAULT_TTL_S } = input;
  checkInput({ serverName, tags, ttlS });
  const { secret, hash } = makeSecret('medic_enroll_');
  const expiresAt = new Date(Date.now() + ttlS * 1000);
  await transact(ctx.database, 'server.make_token', async (tx) => {
    const id = randomUUID();
    await insertEnrollmentToken(tx, {
      id,
      token_hash: hash,
      server_name: serverName,
      tags: [...new Set(tags)],
      created_by: asker.principal.name,
      expires_at: expiresAt,
    });
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'token.created',
      subject: { type: 'enrollment_token', id },
      data: { server_name: serverName, tags: [...new Set(tags)], expires_at: expiresAt.toISOString() },
    });
  });
  return { token: secret, expiresAt };
}

function checkInput(input: { serverName: string; tags: readonly string[]; ttlS: number }): void {
  const fields: FieldError[] = [];
  if (!SERVER_NAME.test(input.serverName) || LIKE_AN_ID.test(input.serverName)) {
    const message =
      'server_name must be letters, digits, ".", "_" or "-", at most 63, begin and end with a letter or digit, and not look like an id.';
    fields.push({ path: 'server_name', code: 'invalid_name', message });
  }
  if (input.tags.length > MAX_TAGS || !input.tags.every((tag) => TAG.test(tag))) {
    const message = `tags must be at most ${MAX_TAGS} words of letters, digits, ".", "_", ":", "=" or "-".`;
    fields.push({ path: 'tags', code: 'invalid_tags', message });
  }
  if (!Number.isSafeInteger(input.ttlS) || input.ttlS < SHORTEST_TTL_S || input.ttlS > LONGEST_TTL_S) {
    const message = `ttl_s must be a whole number of seconds from ${SHORTEST_TTL_S} to ${LONGEST_TTL_S}.`;
    fields.push({ path: 'ttl_s', code: 'invalid_ttl', message });
  }
  if (fields.length === 0) return;
  const message = fields.map((field) => field.message).join(' ');
  throw new InvalidInputError(message, { code: 'invalid_enrollment', fields });
}
