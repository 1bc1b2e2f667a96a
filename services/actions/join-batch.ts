import { randomUUID } from 'node:crypto';
import type { Tx } from '../../db/orm.ts';
import type { BatchRow } from '../../db/repositories/batch.repository.ts';
import { countAlike, findOpenBatch, insertBatch, lockBatchesOf } from '../../db/repositories/batch.repository.ts';
import { fitsBatch } from '../../domain/batch-line.ts';
import type { Requirement, RiskLevel } from '../../domain/policy.ts';

const WINDOW_MS = 60_000; // what arrives within a minute arrived at once
const FIRST_IN_BATCH = 5; // up to four requests are read faster one by one
const MAX_ACTIONS = 50; // as many lines fit a message

export interface BatchCandidate {
  playbook: { name: string; digest: string; risk: RiskLevel };
  requirement: Requirement;
  /** The server's name. */
  server: string;
  params: Readonly<Record<string, unknown>>;
  argvPreview: readonly (readonly string[])[];
  now: Date;
}

/**
 * The batch that a new request belongs to; null where it gets a card of its own. From the fifth request of one playbook
 * within a minute they share a card, if the same rule decides, one person at most must approve, and the card shows the
 * request and its steps whole: what is risky, wants two people or is long is read and decided alone. Serialises such
 * requests of one playbook until the transaction ends: lock the server first.
 */
export async function joinBatch(tx: Tx, candidate: BatchCandidate): Promise<BatchRow | null> {
  const { playbook, requirement, now } = candidate;
  const isPlain = playbook.risk === 'low' || playbook.risk === 'medium';
  if (!isPlain || requirement.approvals > 1 || !fitsBatch(candidate)) return null;
  await lockBatchesOf(tx, playbook.name);
  const alike = { playbook: playbook.name, digest: playbook.digest, requirement, since: minus(now, WINDOW_MS) };
  if ((await countAlike(tx, alike)) < FIRST_IN_BATCH - 1) return null;
  const open = await findOpenBatch(tx, { ...alike, maxActions: MAX_ACTIONS });
  if (open !== null) return open;
  return insertBatch(tx, {
    id: randomUUID(),
    playbook: playbook.name,
    approvals_required: requirement.approvals,
    rule: requirement.text,
    created_at: now,
  });
}

function minus(date: Date, ms: number): Date {
  return new Date(date.getTime() - ms);
}
