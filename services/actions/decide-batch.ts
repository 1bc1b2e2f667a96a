import { ConflictError, MedicError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { refuseNone } from '../limits/no-targets.ts';
import { readBatch } from '../slack/batches.ts';
import type { ActionView } from './action-view.ts';
import { checkDecision } from './check-decision.ts';
import { decideAction } from './decide-action.ts';
import { findActionView } from './read-actions.ts';

const HALT_CODES: readonly string[] = ['halted', 'frozen'];
const AT_ONCE = 8; // decisions under way, of the ten updates and the connections that are ours

export interface BatchDecision {
  batchId: string;
  /** What the person saw and chose; what is not of this batch is left alone. */
  actionIds: readonly string[];
  kind: 'approve' | 'reject';
  reason?: string | undefined;
  /** The same for what is delivered twice, so that it decides once. */
  decisionIdOf(actionId: string): string;
}

/** What became of it, counted. */
export interface BatchOutcome {
  applied: number;
  recorded: number;
  /** Why not, in a few words each, and how often. */
  others: Map<string, number>;
}

/**
 * Decides each of them as `decideAction` does, with a record and an audit event of its own; some may be decided while
 * others are not. Throws NotAllowedError where the first of them is refused: the same rule holds for all, and one
 * refusal on the record is enough; InvalidInputError `no_targets` where none is left of what was named. One's own
 * requests come last, and are refused one by one.
 */
export async function decideBatch(ctx: Context, asker: Asker, decision: BatchDecision): Promise<BatchOutcome> {
  const batch = await readBatch(ctx, decision.batchId);
  const wanted = new Set(decision.actionIds);
  const chosen = (batch?.actions ?? []).filter(({ id, approvalsRequired }) => wanted.has(id) && approvalsRequired > 0);
  refuseNone('actions', chosen);
  const queue = putOwnLast(asker, chosen);
  const outcome: BatchOutcome = { applied: 0, recorded: 0, others: new Map() };
  const note = (why: string): void => void outcome.others.set(why, (outcome.others.get(why) ?? 0) + 1);
  const first = queue.shift();
  if (first === undefined) return outcome;
  await decideOne(ctx, asker, { action: first, decision, outcome, note });
  const work = async (): Promise<void> => {
    for (let action = queue.shift(); action !== undefined; action = queue.shift()) {
      await decideOne(ctx, asker, { action, decision, outcome, note }).catch((error: unknown) => {
        note(describeRefusal(error));
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

/**
 * For a form that is to be opened: throws, and keeps in the audit, what `decideBatch` would refuse of these as a whole.
 * Its submission is judged again. Throws `no_targets`, too.
 */
export async function checkBatchDecision(
  ctx: Context,
  asker: Asker,
  decision: { actions: readonly ActionView[]; kind: 'approve' | 'reject' },
): Promise<void> {
  refuseNone('actions', decision.actions);
  const [first] = putOwnLast(asker, decision.actions);
  if (first === undefined) return;
  try {
    await checkDecision(ctx, asker, { actionId: first.id, kind: decision.kind });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error; // it was decided just now; the others may wait
  }
}

function putOwnLast(asker: Asker, actions: readonly ActionView[]): ActionView[] {
  const isOwn = (action: ActionView): number => (action.requestedBy === asker.principal.name ? 1 : 0);
  return actions.toSorted((a, b) => isOwn(a) - isOwn(b));
}

interface One {
  action: ActionView;
  decision: BatchDecision;
  outcome: BatchOutcome;
  note(why: string): void;
}

async function decideOne(ctx: Context, asker: Asker, { action, decision, outcome, note }: One): Promise<void> {
  const { kind, reason } = decision;
  try {
    const decisionId = decision.decisionIdOf(action.id);
    const decided = await decideAction(ctx, asker, { actionId: action.id, kind, reason, decisionId });
    outcome[decided.outcome] += 1;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const now = await findActionView(ctx, action.id);
    note(now === null || HALT_CODES.includes(error.code) ? error.message : describeState(now));
  }
}

function describeRefusal(error: unknown): string {
  if (!(error instanceof MedicError)) return 'not decided, because something went wrong on our side';
  return error.code === 'own_request' ? 'asked for by you, so somebody else must decide' : error.message;
}

function describeState(action: ActionView): string {
  switch (action.status) {
    case 'pending':
      return 'already decided by you, waiting for others';
    case 'approved':
    case 'executing':
    case 'completed':
    case 'failed':
      return `already approved by ${action.approvedBy ?? 'auto'}`;
    case 'rejected':
      return `already rejected by ${action.rejectedBy ?? 'somebody'}`;
    case 'expired':
      return 'expired';
    case 'cancelled':
      return action.failureCode === 'playbook_changed'
        ? 'cancelled, because the playbook changed'
        : `already cancelled by ${action.cancelledBy ?? 'Medic'}`;
  }
}
