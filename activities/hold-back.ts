import { tellChannel } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { countFailuresInRow, putHoldBack } from '../db/repositories/hold-back.repository.ts';
import type { Row } from '../db/tables.ts';
import { SYSTEM_ACTOR } from '../domain/principal.ts';

/**
 * After the failure that is one too many in a row, its playbook is held back on its server, and the channel is told so,
 * once. A failure that comes while it is held back already changes nothing. The server must be locked.
 */
export async function holdBackFailing(tx: Tx, action: Row<'actions'>): Promise<void> {
  const { id: actionId, server_id: serverId, playbook, status, hold_back_after: most } = action;
  if (status !== 'failed' || action.dry_run || most === 0) return;
  const failures = await countFailuresInRow(tx, { serverId, playbook });
  if (failures < most) return;
  if (!(await putHoldBack(tx, { serverId, playbook, actionId, failures }))) return;
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'server.playbook_held_back',
    subject: { type: 'server', id: serverId },
    data: { playbook, failures, action_id: actionId },
  });
  await tellChannel(tx, { topic: 'held_back', action_id: actionId, failures });
}
