import type { Tx } from '../../db/orm.ts';
import type { Row } from '../../db/tables.ts';
import { ConflictError } from '../../domain/errors.ts';
import { describeHoldBack, readHoldBack } from './read-hold-backs.ts';

/**
 * What failed too often in a row on this server is not asked for again until somebody deals with the dead letter that held it back.
 * To replay that one is to deal with it. Lock the server first. Throws ConflictError `held_back`.
 */
export async function refuseHeldBack(
  tx: Tx,
  asked: { server: Row<'servers'>; playbook: string; isDryRun: boolean; replayOf: string | null },
): Promise<void> {
  const { server, playbook, isDryRun, replayOf } = asked;
  if (isDryRun) return; // it starts nothing
  const held = await readHoldBack(tx, { server, playbook });
  if (held === null || held.deadLetter === replayOf) return;
  const { deadLetter, failures, since } = held;
  throw new ConflictError(`${describeHoldBack(held)} Nothing was recorded.`, {
    code: 'held_back',
    details: { action_id: deadLetter, failures, since: since.toISOString() },
  });
}
