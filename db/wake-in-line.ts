import { WAKE_CHANNEL } from './announce.ts';
import type { Tx } from './orm.ts';
import { listServersInLine } from './repositories/limit.repository.ts';

const WOKEN = 10; // of those first in line some may not fit, as their tags are full

/**
 * What this server had has ended, so there is room: the servers first in line look again. All that wait are asked and not only
 * those known to be held: one may be counting, in a transaction of its own, what ends in this one.
 */
export async function wakeInLine(tx: Tx, inPlaceOf: string): Promise<void> {
  for (const serverId of await listServersInLine(tx, { inPlaceOf, limit: WOKEN })) tx.notify(WAKE_CHANNEL, serverId);
}
