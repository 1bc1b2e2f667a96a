import { followKeySets } from '../protocol/key-set.ts';
import { MAX_RETIRED_KEYS } from '../protocol/limits.ts';
import type { HeartbeatResponse, StoredEnrolment } from '../protocol/messages.ts';
import type { Log } from './log.ts';

/**
 * The enrolment with the command keys that an answer brings, each set vouched for by a key of the one before; the same
 * object where there is no news. Keys without that are ignored, wherever the answer came from: who owns no more than the
 * way between here and the control plane must not be able to name a key.
 */
export async function followCommandKeys(
  enrolment: StoredEnrolment,
  response: Pick<HeartbeatResponse, 'command_keys' | 'command_keys_proof'>,
  log: Log,
): Promise<StoredEnrolment> {
  const { command_keys: known, command_keys_serial: serial = 0 } = enrolment;
  const chain = response.command_keys_proof ?? [];
  const { set, isWhole } = await followKeySets({ serial, keys: known }, chain);
  const told = response.command_keys ?? [];
  const isUnproved = chain.length === 0 && told.some(({ kid }) => !known.some((key) => key.kid === kid));
  if (!isWhole || isUnproved) log('error', 'ignored command keys that no key we trust vouches for');
  if (set.serial === serial) return enrolment;
  const accepted = set.keys.map(({ kid }) => kid);
  log('info', 'the command keys changed', { accepted, serial: set.serial });
  return keepRetired({ ...enrolment, command_keys: set.keys, command_keys_serial: set.serial }, enrolment);
}

/** With all keys that `former` knew and that are not accepted any more: the checkpoints that they signed stay. */
export function keepRetired(enrolment: StoredEnrolment, former: StoredEnrolment): StoredEnrolment {
  const known = new Map([...(former.retired_keys ?? []), ...former.command_keys].map((key) => [key.kid, key]));
  for (const { kid } of enrolment.command_keys) known.delete(kid);
  return { ...enrolment, retired_keys: [...known.values()].slice(-MAX_RETIRED_KEYS) };
}
