import type { Kysely } from 'kysely';
import type { Tables } from '../tables.ts';

/** Where a query runs: a Database, or a Tx where it must see, or be part of, the transaction. */
export interface Source {
  kysely: Kysely<Tables>;
}
