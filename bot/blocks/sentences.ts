import { describeExit, describeOutcome } from '../../domain/outcome-words.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { showDuration } from './text.ts';

/** Where an action stands, in one sentence; the first thing that its card says. */
export function describeAction(action: ActionView): string {
  const what = `${action.playbook} on ${action.server}`;
  const dry = action.dryRun ? ' (dry run)' : '';
  switch (action.status) {
    case 'pending':
      return describePending(action, `${what}${dry}`);
    case 'approved':
      return `${what}${dry} is approved by ${action.approvedBy ?? 'auto'} and waits to start.${stopping(action)}`;
    case 'executing':
      return `${what}${dry} is running, approved by ${action.approvedBy ?? 'auto'}.${stopping(action)}`;
    case 'completed':
      return `${what}${dry} has completed${took(action)}${exit(action)}.`;
    case 'failed':
      return `${what}${dry} has failed${took(action)}: ${describeOutcome(action)}.`;
    case 'rejected':
      return `${what}${dry} was rejected by ${action.rejectedBy ?? 'somebody'}.`;
    case 'expired':
      return `${what}${dry} has expired: ${describeOutcome(action)}.`;
    case 'cancelled':
      return `${what}${dry} was cancelled by ${action.cancelledBy ?? 'Medic'}${why(action)}.`;
  }
}

function describePending(action: ActionView, what: string): string {
  const asks = `${action.requestedBy} asks to run ${what}`;
  if (action.approvalsRequired === 0) return `${asks}; it needs nobody's approval.`;
  const count = `${action.approvals.length} of ${action.approvalsRequired}`;
  return action.approvals.length === 0
    ? `${asks}; it waits for approval.`
    : `${asks}; it waits for approval (${count} so far).`;
}

function stopping(action: ActionView): string {
  return action.cancelRequestedAt === null ? '' : ` ${action.cancelledBy ?? 'Somebody'} asked to cancel it.`;
}

function exit(action: ActionView): string {
  const words = describeExit(action);
  return words === null ? '' : `, ${words}`;
}

function why(action: ActionView): string {
  return action.failureCode === null ? '' : `: ${describeOutcome(action)}`;
}

/** From its start to its end; nothing where it never ran. */
function took(action: ActionView): string {
  if (action.executedAt === null || action.completedAt === null) return '';
  return ` after ${showDuration(action.completedAt.getTime() - action.executedAt.getTime())}`;
}
