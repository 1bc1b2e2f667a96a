import { findNewestCheckpoint } from '../../db/repositories/checkpoint.repository.ts';
import { listAuditAfter } from '../../db/repositories/audit.repository.ts';
import type { AuditEvent } from '../../domain/audit.ts';
import { InvalidInputError, NotFoundError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { CommandKey } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';
import { listEverTrusted } from '../keys/command-keys.ts';
import { readPageSize } from '../page-size.ts';

const LARGEST_PAGE = 1000; // an export reads the whole log

/**
 * The lines after `after` (a `seq`; everything where it is missing), oldest first. Each is exactly what was hashed.
 * `next` is null where there is no more for now. Throws InvalidInputError `invalid_cursor`, `invalid_limit`.
 */
export async function listAudit(
  ctx: Context,
  asker: Asker,
  query: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<{ items: AuditEvent[]; next: string | null }> {
  authorise(asker, 'audit.read');
  const limit = readPageSize(query.limit, LARGEST_PAGE);
  const rows = await listAuditAfter(ctx.database, { after: readCursor(query.after), limit: limit + 1 });
  const page = rows.slice(0, limit);
  const next = rows.length > limit ? String(page.at(-1)?.seq) : null;
  return { items: page.map(({ body }) => JSON.parse(body) as AuditEvent), next };
}

/**
 * The newest checkpoint, signed (a compact JWS), and the keys that sign or did; whoever trusts nobody here takes the keys from
 * an agent. Throws NotFoundError `checkpoint_missing` where the first is still to come.
 */
export async function readNewestCheckpoint(
  ctx: Context,
  asker: Asker,
): Promise<{ checkpoint: string; count: number; head: string; keys: CommandKey[] }> {
  authorise(asker, 'audit.read');
  const newest = await findNewestCheckpoint(ctx.database);
  if (newest === null) {
    const message = 'There is no checkpoint yet: the first one comes within seconds of the first event.';
    throw new NotFoundError(message, { code: 'checkpoint_missing' });
  }
  const { jws: checkpoint, count, head } = newest;
  return { checkpoint, count, head, keys: await listEverTrusted(ctx.signer, ctx.database) };
}

function readCursor(after: string | undefined): number {
  if (after === undefined) return 0;
  const seq = /^\d{1,15}$/.test(after) ? Number(after) : NaN;
  if (Number.isSafeInteger(seq)) return seq;
  const message = 'The cursor `after` must be the seq of an audit event, such as 120.';
  throw new InvalidInputError(message, {
    code: 'invalid_cursor',
    fields: [{ path: 'after', message, code: 'invalid_cursor' }],
  });
}
