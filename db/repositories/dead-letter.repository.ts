import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { ActionRow } from './action.repository.ts';

/** Takes an open dead letter, locked; null where it is none, or somebody was faster. Lock its server first. */
export async function closeDeadLetter(
  tx: Tx,
  input: { id: string } & ({ as: 'replayed' } | { as: 'dismissed'; by: string; reason: string }),
): Promise<ActionRow | null> {
  const dismissal =
    input.as === 'dismissed'
      ? { dismissed_by: input.by, dismissed_at: sql<Date>`clock_timestamp()`, dismiss_reason: input.reason }
      : {};
  const row = await tx.kysely
    .updateTable('actions')
    .set({ dead_letter: input.as, ...dismissal })
    .where('id', '=', input.id)
    .where('dead_letter', '=', 'open')
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}
