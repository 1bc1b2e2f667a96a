import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { ActionRow } from './action.repository.ts';
import type { Source } from './source.ts';

/**
 * Takes an open dead letter, compare and set; null where it is none, or somebody was faster. From here to the end of the
 * transaction its row is locked, so lock its server before (db/orm.ts, INVARIANTS).
 */
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

/** The dead letters that this principal replayed since then under keys that begin with `keyPrefix`, the first first. */
export async function listReplayedUnder(
  source: Source,
  input: { keyPrefix: string; requestedBy: string; since: Date },
): Promise<string[]> {
  const rows = await source.kysely
    .selectFrom('actions')
    .select('replay_of')
    .where('requested_by', '=', input.requestedBy)
    .where('requested_at', '>', input.since)
    .where('replay_of', 'is not', null)
    .where(sql<boolean>`starts_with(request_key, ${input.keyPrefix})`)
    .orderBy('requested_at')
    .execute();
  return rows.flatMap(({ replay_of: id }) => id ?? []);
}
