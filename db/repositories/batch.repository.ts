import type { Tx } from '../orm.ts';
import type { Row, RowChange } from '../tables.ts';
import type { ActionWithNames } from './action.repository.ts';
import { selectWithServer, withCourse } from './action.repository.ts';
import type { Source } from './source.ts';

export type BatchRow = Row<'action_batches'>;

export async function findBatch(source: Source, id: string): Promise<BatchRow | null> {
  const row = await source.kysely.selectFrom('action_batches').selectAll().where('id', '=', id).executeTakeFirst();
  return row ?? null;
}

/** Oldest first. */
export async function listBatchActions(source: Source, batchId: string): Promise<ActionWithNames[]> {
  const rows = await selectWithServer(source)
    .where('actions.batch_id', '=', batchId)
    .orderBy('actions.requested_at')
    .orderBy('actions.id')
    .execute();
  return withCourse(source, rows);
}

/** The card's place; its actions link to it too. */
export async function updateBatch(tx: Tx, id: string, set: RowChange<'action_batches'>): Promise<void> {
  await tx.kysely.updateTable('action_batches').set(set).where('id', '=', id).execute();
  if (set.slack_permalink === undefined) return;
  await tx.kysely
    .updateTable('actions')
    .set({ slack_permalink: set.slack_permalink })
    .where('batch_id', '=', id)
    .execute();
}
