import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { Row, RowChange } from '../tables.ts';

export type TotpRow = Row<'principal_totps'>;

/** Locked until the transaction ends: guesses come one after the other, and a code is used by one of them. */
export async function lockTotp(tx: Tx, principal: string): Promise<TotpRow | null> {
  const query = tx.kysely.selectFrom('principal_totps').selectAll().where('principal', '=', principal);
  return (await query.forUpdate().executeTakeFirst()) ?? null;
}

/** A new secret takes the place of the old one, with its tries and its lock. */
export async function saveTotp(tx: Tx, input: { principal: string; secret: string }): Promise<void> {
  const fresh = {
    secret: input.secret,
    enrolled_at: sql<Date>`clock_timestamp()`,
    last_step: null,
    failures: 0,
    locked_until: null,
  };
  await tx.kysely
    .insertInto('principal_totps')
    .values({ principal: input.principal, ...fresh })
    .onConflict((conflict) => conflict.column('principal').doUpdateSet(fresh))
    .execute();
}

export async function updateTotp(tx: Tx, principal: string, set: RowChange<'principal_totps'>): Promise<void> {
  await tx.kysely.updateTable('principal_totps').set(set).where('principal', '=', principal).execute();
}
