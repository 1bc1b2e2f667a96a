import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { NewRow, Row } from '../tables.ts';
import type { Source } from './source.ts';

export type ApiTokenRow = Row<'api_tokens'>;

export function insertApiToken(tx: Tx, token: NewRow<'api_tokens'>): Promise<ApiTokenRow> {
  return tx.kysely.insertInto('api_tokens').values(token).returningAll().executeTakeFirstOrThrow();
}

/** The token with this hash, unless it is revoked or expired. */
export async function findUsableApiToken(source: Source, tokenHash: string, now: Date): Promise<ApiTokenRow | null> {
  const row = await source.kysely
    .selectFrom('api_tokens')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirst();
  return row ?? null;
}

/** Written at most once in `graceMs`, so that reading does not become writing. */
export async function touchApiToken(source: Source, input: { id: string; now: Date; graceMs: number }): Promise<void> {
  await source.kysely
    .updateTable('api_tokens')
    .set({ last_used_at: input.now })
    .where('id', '=', input.id)
    .where((eb) =>
      eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', new Date(input.now.getTime() - input.graceMs))]),
    )
    .execute();
}

export function listApiTokens(source: Source): Promise<ApiTokenRow[]> {
  return source.kysely.selectFrom('api_tokens').selectAll().orderBy('created_at').orderBy('id').execute();
}

/** Null where there is no such token or it was revoked before. */
export async function revokeApiToken(tx: Tx, id: string, now: Date): Promise<ApiTokenRow | null> {
  const row = await tx.kysely
    .updateTable('api_tokens')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

export async function insertEnrollmentToken(tx: Tx, token: NewRow<'enrollment_tokens'>): Promise<void> {
  await tx.kysely.insertInto('enrollment_tokens').values(token).execute();
}

/** Uses the token up, once; null where it is unknown, used or expired. */
export async function useEnrollmentToken(tx: Tx, tokenHash: string): Promise<Row<'enrollment_tokens'> | null> {
  const row = await tx.kysely
    .updateTable('enrollment_tokens')
    .set({ used_at: sql<Date>`clock_timestamp()` })
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Those made for a server of this name open nothing any more. */
export async function voidEnrollmentTokens(
  tx: Tx,
  { serverName, now }: { serverName: string; now: Date },
): Promise<void> {
  const ended = tx.kysely.updateTable('enrollment_tokens').set({ expires_at: now });
  await ended
    .where('server_name', '=', serverName)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .execute();
}
