import { describeFailure, describeOutcome } from '../../domain/outcome-words.ts';
import { writeTime } from '../../domain/sentence.ts';
import { nameActor, SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { ActionView } from './action-view.ts';

/** One sentence for someone who comes too late: what has become of the action, by whom and when. */
export function describeEnd(action: ActionView): string {
  const what = `${action.playbook} on ${action.server}`;
  if (action.unknownSince !== null) return describeUnknown(action, { what, since: action.unknownSince });
  switch (action.status) {
    case 'pending':
      return `You have already decided ${what}; it waits for others.`;
    case 'approved':
      return `${what} was already approved by ${action.approvedBy ?? 'auto'}${at(action.approvedAt)}.`;
    case 'executing':
      return action.nextAttemptAt === null
        ? `${what} was approved by ${action.approvedBy ?? 'auto'} and is running${at(action.executedAt)}.`
        : `${what} was approved by ${action.approvedBy ?? 'auto'} and is tried again${at(action.nextAttemptAt)}.`;
    case 'completed':
      return `${what} has already completed${at(action.completedAt)}.`;
    case 'failed':
      return `${what} has already failed${at(action.completedAt)}: ${describeOutcome(action)}.`;
    case 'rejected':
      return action.rejectedBy === SYSTEM_ACTOR
        ? `${what} was rejected by its rule${at(action.rejectedAt)}, as nobody had decided in time.`
        : `${what} was already rejected by ${action.rejectedBy ?? 'somebody'}${at(action.rejectedAt)}.`;
    case 'expired':
      return `${what} has expired${at(action.completedAt)}: ${describeOutcome(action)}. Ask again.`;
    case 'cancelled':
      if (action.failureCode === 'playbook_changed') {
        return `${what} was cancelled${at(action.completedAt)}: its playbook changed after it was asked for. Ask again.`;
      }
      return `${what} was cancelled by ${nameActor(action.cancelledBy)}${at(action.completedAt)}${describeWhy(action)}.`;
  }
}

function describeUnknown(action: ActionView, { what, since }: { what: string; since: Date }): string {
  const course =
    action.status === 'executing' && action.nextAttemptAt === null ? 'was running' : 'was handed to its agent';
  return `${what} ${course}, of which nothing is heard since ${writeTime(since)}: what becomes of it is not known.`;
}

function describeWhy(action: ActionView): string {
  const why = describeFailure(action);
  return why === null ? '' : `: ${why}`;
}

function at(date: Date | null): string {
  return date === null ? '' : ` at ${writeTime(date)}`;
}
