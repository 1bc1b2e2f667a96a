import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { NewRow, Row } from '../tables.ts';
import type { Source } from './source.ts';

export type CommandKeySetRow = Row<'command_key_sets'>;

export async function findNewestKeySet(source: Source): Promise<CommandKeySetRow | null> {
  const newest = source.kysely.selectFrom('command_key_sets').selectAll().orderBy('serial', 'desc').limit(1);
  return (await newest.executeTakeFirst()) ?? null;
}

/** Oldest first. */
export function listKeySets(source: Source, input: { after: number } = { after: 0 }): Promise<CommandKeySetRow[]> {
  return source.kysely
    .selectFrom('command_key_sets')
    .selectAll()
    .where('serial', '>', input.after)
    .orderBy('serial')
    .execute();
}

/** Until the transaction ends no other set is made; who only reads does not wait. */
export async function lockKeySets(tx: Tx): Promise<void> {
  await sql`lock table command_key_sets in share row exclusive mode`.execute(tx.kysely);
}

export async function insertKeySet(tx: Tx, set: NewRow<'command_key_sets'>): Promise<void> {
  await tx.kysely.insertInto('command_key_sets').values(set).execute();
}
