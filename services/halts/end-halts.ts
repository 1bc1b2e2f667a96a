import { transact } from '../../db/orm.ts';
import { listEndedHalts } from '../../db/repositories/halt.repository.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { endHalt, settleLift } from './lift-halt.ts';

const BY_ITSELF = { actor: SYSTEM_ACTOR, via: 'workflow', reason: null } as const;

/**
 * Lifts the halts whose `until` has come. Until then they stand, however late that is. May run twice and in several
 * processes at once: each ends once.
 */
export async function endHalts(ctx: Context): Promise<void> {
  for (const { id } of await listEndedHalts(ctx.database, new Date())) {
    const ended = await transact(ctx.database, 'halt.lift', (tx) =>
      endHalt(ctx, tx, { id, by: BY_ITSELF, isDue: ({ until }) => until !== null && until.getTime() <= Date.now() }),
    );
    settleLift(ctx, ended);
  }
}
