import type { Database, Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';

/** A transaction of a test: of what it arranges, or of a query that it tries. */
export function arrange<T>(database: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(database, 'action.request', work);
}
