import { findHoldBack, listHoldBacks as listRows } from '../../db/repositories/hold-back.repository.ts';
import type { Source } from '../../db/repositories/source.ts';
import { timesInRow } from '../../domain/limits.ts';

/** A playbook that is held back on a server (contract §3, limits). */
export interface HoldBackView {
  server: string;
  playbook: string;
  /** How often in a row it has failed there. */
  failures: number;
  since: Date;
  /** The dead letter to replay or dismiss: then the playbook gets one more try. */
  deadLetter: string;
}

/** The oldest first. For use cases that have authorised already. */
export async function readHoldBacks(source: Source, limit: number): Promise<HoldBackView[]> {
  const rows = await listRows(source, limit);
  return rows.map(({ server_name: server, action_id: deadLetter, playbook, failures, since }) => {
    return { server, playbook, failures, since, deadLetter };
  });
}

/** Null where this playbook is not held back there. For use cases that have authorised already. */
export async function readHoldBack(
  source: Source,
  work: { server: { id: string; name: string }; playbook: string },
): Promise<HoldBackView | null> {
  const { server, playbook } = work;
  const row = await findHoldBack(source, { serverId: server.id, playbook });
  if (row === null) return null;
  return { server: server.name, playbook, failures: row.failures, since: row.since, deadLetter: row.action_id };
}

/** In one sentence, with what to do. */
export function describeHoldBack(held: HoldBackView): string {
  const { server, playbook, failures, deadLetter } = held;
  const why = `${playbook} is held back on ${server}, as it has failed there ${timesInRow(failures)}`;
  return `${why}. See why ${deadLetter.slice(0, 8)} failed, then replay or dismiss it: the playbook gets one more try.`;
}
