import { findCovering } from '../../domain/halt.ts';
import { isEnded } from '../../domain/lifecycle.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import type { Row } from '../tables.ts';
import type { Attempt } from './attempt.repository.ts';
import { readAttempts } from './attempt.repository.ts';
import type { AppliedApproval } from './decision.repository.ts';
import { listAppliedApprovals } from './decision.repository.ts';
import type { HaltRow } from './halt.repository.ts';
import { listStandingHalts } from './halt.repository.ts';
import type { HoldBackRow } from './hold-back.repository.ts';
import { listHoldBacksOn } from './hold-back.repository.ts';
import type { HandedOut, QueuedBehind } from './queue.repository.ts';
import { listUnheardOf, readHandedOut, readQueue } from './queue.repository.ts';
import type { Source } from './source.ts';

/** How far an action has come, and what stands in its way. */
export interface Course {
  /** Oldest first. */
  approvals: AppliedApproval[];
  queued_behind: QueuedBehind | null;
  handed_out: HandedOut | null;
  /** Ended after it was handed out, without a result that counts. */
  may_have_run: boolean;
  /** Of an action that may be tried again, else none. */
  attempts: Attempt[];
  /** Open, and a halt covers it. */
  halt: HaltRow | null;
  /** Open, and its playbook is held back on its server. */
  hold_back: HoldBackRow | null;
}

/** The approvals, and what only those have that wait, run, or may be tried again. */
export async function withCourse<T extends Row<'actions'> & { server_tags: string[] }>(
  source: Source,
  actions: readonly T[],
): Promise<(T & Course)[]> {
  const idsOf = (status: ActionStatus): string[] => actions.filter((row) => row.status === status).map(({ id }) => id);
  const approvals = await listAppliedApprovals(
    source,
    actions.map(({ id }) => id),
  );
  const queue = await readQueue(source, idsOf('approved'));
  const handedOut = await readHandedOut(source, [...idsOf('approved'), ...idsOf('executing')]);
  const unheard = await listUnheardOf(source, [...idsOf('failed'), ...idsOf('expired'), ...idsOf('cancelled')]);
  const retried = actions.filter(({ retry }) => retry !== null).map(({ id }) => id);
  const attempts = await readAttempts(source, retried);
  const open = actions.filter(({ status }) => !isEnded(status));
  const halts = open.length === 0 ? [] : await listStandingHalts(source);
  const holdBacks = await listHoldBacksOn(source, [...new Set(open.map((row) => row.server_id))]);
  return actions.map((action) => ({
    ...action,
    approvals: approvals.get(action.id) ?? [],
    queued_behind: queue.get(action.id) ?? null,
    handed_out: handedOut.get(action.id) ?? null,
    may_have_run: unheard.has(action.id),
    attempts: attempts.get(action.id) ?? [],
    halt: isEnded(action.status) ? null : findCovering(halts, { tags: action.server_tags, playbook: action.playbook }),
    hold_back:
      isEnded(action.status) || action.dry_run ? null : (holdBacks.find((held) => isSameWork(held, action)) ?? null),
  }));
}

function isSameWork(held: HoldBackRow, action: Pick<Row<'actions'>, 'server_id' | 'playbook'>): boolean {
  return held.server_id === action.server_id && held.playbook === action.playbook;
}
