import { tellQueue, WAKE_CHANNEL } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { deleteHoldBack } from '../../db/repositories/hold-back.repository.ts';
import type { Asker } from '../../domain/principal.ts';

/**
 * Somebody has dealt with this dead letter: where it was what held its playbook back, that gets one more try on its
 * server, and another failure holds it back again. Lock the server first.
 */
export async function releaseHoldBack(
  tx: Tx,
  { actionId, asker, how }: { actionId: string; asker: Asker; how: 'replayed' | 'dismissed' },
): Promise<void> {
  const held = await deleteHoldBack(tx, actionId);
  if (held === null) return;
  const { server_id: serverId, playbook, failures } = held;
  tx.audit({
    actor: asker.principal.name,
    via: asker.via,
    event: 'server.playbook_released',
    subject: { type: 'server', id: serverId },
    data: { playbook, failures, action_id: actionId, how },
  });
  await tellQueue(tx, serverId);
  tx.notify(WAKE_CHANNEL, serverId);
}
