import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { Row, RowChange } from '../tables.ts';
import type { Source } from './source.ts';

/** Waiting actions whose next step is due and whose window is still open, the longest due first. */
export async function listDueEscalations(source: Source, limit: number): Promise<string[]> {
  const rows = await source.kysely
    .selectFrom('actions')
    .select('id')
    .where('status', '=', 'pending')
    .where('next_escalation_at', '<=', sql<Date>`now()`)
    .where('expires_at', '>', sql<Date>`now()`)
    .orderBy('next_escalation_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * The action, locked, where it still waits and `step` steps of its ladder were taken; null where it does not, or
 * somebody else is at it: a decision, or another pump. Keys of other rows may point to it meanwhile.
 */
export async function claimEscalation(tx: Tx, input: { id: string; step: number }): Promise<Row<'actions'> | null> {
  const row = await tx.kysely
    .selectFrom('actions')
    .selectAll()
    .where('id', '=', input.id)
    .where('status', '=', 'pending')
    .where('escalation_step', '=', input.step)
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row ?? null;
}

export async function advanceEscalation(
  tx: Tx,
  input: { id: string } & Required<Pick<RowChange<'actions'>, 'escalation_step' | 'next_escalation_at'>>,
): Promise<void> {
  const { id, ...set } = input;
  await tx.kysely.updateTable('actions').set(set).where('id', '=', id).execute();
}
