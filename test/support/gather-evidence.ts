import type { JsonWebKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Evidence, Shown } from '../checker/evidence.ts';
import { openCheckpoint } from '../checker/witness-file.ts';

export interface Leftovers {
  pool: Pick<Pool, 'query'>;
  /** Its name, and the folder with its journal. */
  agents: readonly { name: string; folder: string }[];
  /** The public keys that checkpoints may be signed by; without them no signature is checked. */
  keys?: readonly JsonWebKey[];
}

/** What a run left in its database and with its agents, for the checker; whoever knows more of the run adds it. */
export async function gatherEvidence({
  pool,
  agents,
  keys,
}: Leftovers): Promise<Evidence & Required<Pick<Evidence, 'database' | 'witnesses'>>> {
  const { rows: events } = await pool.query<{ body: string }>('select body from audit_events order by seq');
  const { rows: database } = await pool.query<Shown>('select id as action_id, status from actions');
  return {
    audit: events.map(({ body }) => body),
    journals: agents.map(({ name, folder }) => ({ name, lines: readJournalLines(folder) })),
    database,
    witnesses: agents.flatMap(({ folder }) => readCheckpoints(folder).map((jws) => openCheckpoint(jws, keys))),
  };
}

/** The lines of an agent's journal as they lie on the disk; none before it has heard anything. */
export function readJournalLines(folder: string): string[] {
  const path = join(folder, 'journal.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** What the control plane signed of its log and told this agent. */
function readCheckpoints(folder: string): string[] {
  const path = join(folder, 'witness.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { checkpoints: string[] }).checkpoints : [];
}
