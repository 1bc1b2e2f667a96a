import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { ActionView } from './action-view.ts';

/** One sentence for someone who comes too late: what has become of the action, by whom and when. */
export function describeEnd(action: ActionView): string {
  const what = `${action.playbook} on ${action.server}`;
  switch (action.status) {
    case 'pending':
      return `You have already decided ${what}; it waits for others.`;
    case 'approved':
      return `${what} was already approved by ${action.approvedBy ?? 'auto'}${at(action.approvedAt)}.`;
    case 'executing':
      return `${what} was approved by ${action.approvedBy ?? 'auto'} and is running${at(action.executedAt)}.`;
    case 'completed':
      return `${what} has already completed${at(action.completedAt)}.`;
    case 'failed':
      return `${what} has already failed${at(action.completedAt)} (${action.failureCode ?? 'failed'}).`;
    case 'rejected':
      return action.rejectedBy === SYSTEM_ACTOR
        ? `${what} was rejected by its rule${at(action.rejectedAt)}, as nobody had decided in time.`
        : `${what} was already rejected by ${action.rejectedBy ?? 'somebody'}${at(action.rejectedAt)}.`;
    case 'expired':
      return `${what} has expired${at(action.completedAt)} (${action.failureCode ?? 'expired'}): ask again.`;
    case 'cancelled':
      if (action.failureCode === 'playbook_changed') {
        return `${what} was cancelled${at(action.completedAt)}: its playbook changed after it was asked for. Ask again.`;
      }
      return `${what} was cancelled by ${action.cancelledBy ?? 'auto'}${at(action.completedAt)}.`;
  }
}

function at(date: Date | null): string {
  return date === null ? '' : ` at ${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
