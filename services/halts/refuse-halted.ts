import type { Tx } from '../../db/orm.ts';
import { holdHalts } from '../../db/repositories/halt.repository.ts';
import { ConflictError } from '../../domain/errors.ts';
import { findCovering, haltCode } from '../../domain/halt.ts';
import { endSentence } from '../../domain/sentence.ts';
import { describeHalt, toHaltView } from './halt-view.ts';

/**
 * For what leads to a start, in its transaction: a halt comes wholly before it or wholly after. The server may be locked
 * already, no action may be. Throws ConflictError `halted` or `frozen`, which says who, why and until when.
 */
export async function refuseHalted(tx: Tx, work: { tags: readonly string[]; playbook: string }): Promise<void> {
  const covering = findCovering(await holdHalts(tx), work);
  if (covering === null) return;
  const halt = toHaltView(covering);
  throw new ConflictError(`${endSentence(describeHalt(halt))} Nothing was recorded.`, {
    code: haltCode(halt),
    details: {
      halt_id: String(halt.id),
      declared_by: halt.declaredBy,
      reason: halt.reason,
      until: halt.until?.toISOString() ?? null,
    },
  });
}
