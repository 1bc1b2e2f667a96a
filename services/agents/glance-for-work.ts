import type { Database } from '../../db/orm.ts';
import type { Caller, Glance } from '../../db/repositories/heartbeat.repository.ts';
import { readGlances } from '../../db/repositories/heartbeat.repository.ts';
import type { Context } from '../context.ts';
import { createReadTogether } from '../read-together.ts';
import type { Speaker } from './hear-heartbeat.ts';
import { isSupersededBy } from './hear-heartbeat.ts';
import type { Findings } from './look-for-work.ts';
import { SLOW_POLL_MS } from './look-for-work.ts';

type Read = (caller: Caller) => Promise<Glance | null>;

const readers = new WeakMap<Database, Read>();

/**
 * What a look would find where that is nothing to do; null where a look could find something. It locks nothing and is
 * read for many heartbeats at once; whatever changes after it gives a hint.
 */
export async function glanceForWork(
  { database }: Pick<Context, 'database'>,
  speaker: Speaker,
): Promise<Findings | null> {
  const read = readers.get(database) ?? createReadTogether((callers) => readGlances(database, callers));
  readers.set(database, read);
  const { serverId, kid, request } = speaker;
  const glance = await read({ serverId, kid });
  if (glance === null || !glance.is_let_in || glance.has_work || request.running.length > 0) return null;
  if ((request.command_keys_serial ?? 0) < glance.keys_serial || isSupersededBy(glance, request)) return null;
  return {
    ...{ commands: [], cancel: [], isSuperseded: false, lookAgainMs: SLOW_POLL_MS, keyNews: {} },
    isPaused: glance.paused,
    isHalted: glance.is_halted,
    tags: glance.tags,
    intervalS: glance.heartbeat_interval_s,
    keysSerial: glance.keys_serial,
  };
}
