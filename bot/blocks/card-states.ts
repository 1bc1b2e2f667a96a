import { describeReach } from '../../domain/halt.ts';
import { describeExit, describeFailure, describeOutcome } from '../../domain/outcome-words.ts';
import { nameActor, SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import { describeHold } from '../../domain/limits.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import {
  approvalFacts,
  attemptFacts,
  cancelFacts,
  deadLetterFacts,
  haltFacts,
  lateFacts,
  MAX_NAME,
  MAX_REASON,
  pauseFacts,
} from './facts.ts';
import type { Fact } from './facts.ts';
import { shortId } from './names.ts';
import { showDuration, toLine } from './text.ts';

/*
 * What the card of an action says in each of its states: one pure function a state, of the same name. A card is edited
 * in place, so each function tells the whole story so far.
 *
 *   pending ──► approved ──► executing ──► completed | failed | cancelled
 *      └──► rejected | expired | cancelled      └──► expired | cancelled
 */

export interface CardState {
  /** Where it stands, in one sentence: the first block, the text of the notification, and what is read aloud. */
  sentence: string;
  /** What happened so far and what is going on, oldest first. */
  story: readonly Fact[];
  /** When it ends by itself, in the reader's own time. */
  deadline: { label: string; at: Date } | null;
  /** Only those that can work now. */
  buttons: readonly CardButton[];
}

export type CardButton = 'approve' | 'reject' | 'withdraw' | 'cancel' | 'details' | 'ask_again' | 'more';

const STATES: Readonly<Record<ActionStatus, (action: ActionView) => CardState>> = {
  pending,
  approved,
  executing,
  completed,
  failed,
  rejected,
  expired,
  cancelled,
};

export function describeState(action: ActionView): CardState {
  return STATES[action.status](action);
}

/** Where an action stands, in one sentence. */
export function describeAction(action: ActionView): string {
  return describeState(action).sentence;
}

function pending(action: ActionView): CardState {
  const { approvals, approvalsRequired, expiresAt } = action;
  const asks = `${action.requestedBy} asks to run ${nameOf(action)}`;
  const count = approvals.length === 0 ? '' : ` (${approvals.length} of ${approvalsRequired} so far)`;
  const isAutomatic = approvalsRequired === 0;
  const approveButton: CardButton[] = action.halt === null ? ['approve'] : [];
  return {
    sentence: `${asks}; ${isAutomatic ? "it needs nobody's approval" : `it waits for approval${count}`}.${describeHalted(action)}`,
    story: [...haltFacts(action), ...pauseFacts(action), ...approvalFacts(action), ...backupFacts(action)],
    deadline: expiresAt === null ? null : { label: END_LABELS[action.requirement.onTimeout], at: expiresAt },
    buttons: isAutomatic ? ['withdraw', 'details'] : [...approveButton, 'reject', 'withdraw', 'details', 'more'],
  };
}

/** What becomes of it when nobody decides. */
const END_LABELS = { expired: 'Expires', rejected: 'Rejected unless decided by' } as const;

function approved(action: ActionView): CardState {
  const course = action.handedOutAt === null ? 'waits to start' : 'was handed to its agent';
  return {
    sentence: `${nameOf(action)} is approved by ${approverOf(action)} and ${course}.${describeUnknown(action)}${describeHalted(action)}${describeStopping(action)}`,
    story: [
      ...haltFacts(action),
      ...pauseFacts(action),
      ...approvalFacts(action),
      ...queueFacts(action),
      ...handOutFacts(action),
      ...cancelFacts(action),
    ],
    deadline: action.expiresAt === null ? null : { label: 'Must start by', at: action.expiresAt },
    buttons: action.cancelRequestedAt === null ? ['cancel', 'details'] : ['details'],
  };
}

function executing(action: ActionView): CardState {
  if (action.nextAttemptAt !== null) return waitingToTryAgain(action, action.nextAttemptAt);
  const course = action.unknownSince === null ? 'is running' : 'was running';
  const step = action.progress === null ? '' : ` at step ${action.progress.step} of ${action.progress.steps}`;
  return {
    sentence: `${nameOf(action)} ${course}${step}${describeAttempt(action)}, approved by ${approverOf(action)}.${describeUnknown(action)}${describeStopping(action)}`,
    story: [
      ...haltFacts(action),
      ...approvalFacts(action),
      ...attemptFacts(action),
      ...startFacts(action),
      ...unknownFacts(action),
      ...cancelFacts(action),
    ],
    deadline: null,
    buttons: action.cancelRequestedAt === null ? ['cancel', 'details'] : ['details'],
  };
}

/** Between two attempts: nothing runs, and others may use the server. */
function waitingToTryAgain(action: ActionView, nextAttemptAt: Date): CardState {
  const { attempt, maxAttempts, handedOutAt } = action;
  const failed = action.attempts.findLast(({ endedAt }) => endedAt !== null);
  const failure = describeFailure({ failureCode: failed?.failureCode ?? null }) ?? 'it failed';
  const next = `attempt ${attempt} of ${maxAttempts} ${handedOutAt === null ? 'is next' : 'was handed to its agent'}`;
  return {
    sentence: `${nameOf(action)} is tried again: ${failure}; ${next}.${describeUnknown(action)}${describeHalted(action)}${describeStopping(action)}`,
    story: [
      ...haltFacts(action),
      ...pauseFacts(action),
      ...approvalFacts(action),
      ...attemptFacts(action),
      ...handOutFacts(action),
      ...cancelFacts(action),
    ],
    deadline: handedOutAt === null ? { label: 'Tried again from', at: nextAttemptAt } : null,
    buttons: action.cancelRequestedAt === null ? ['cancel', 'details'] : ['details'],
  };
}

function completed(action: ActionView): CardState {
  const exit = describeExit(action);
  return {
    sentence: `${nameOf(action)} has completed${describeLength(action)}${exit === null ? '' : `, ${exit}`}.`,
    story: [...approvalFacts(action), ...attemptFacts(action), ...startFacts(action), ...endFacts(action)],
    deadline: null,
    buttons: ['details'],
  };
}

function failed(action: ActionView): CardState {
  return {
    sentence: `${nameOf(action)} has failed${describeLength(action)}${describeAttempt(action)}: ${describeOutcome(action)}.`,
    story: [
      ...approvalFacts(action),
      ...attemptFacts(action),
      ...startFacts(action),
      ...cancelFacts(action),
      ...endFacts(action),
    ],
    deadline: null,
    buttons: ['details'],
  };
}

function rejected(action: ActionView): CardState {
  const isByTimeout = action.rejectedBy === SYSTEM_ACTOR;
  const how = isByTimeout ? 'by its rule, as nobody decided in time' : `by ${action.rejectedBy ?? 'somebody'}`;
  const facts: Fact[] = isByTimeout
    ? []
    : [
        ['Rejected by', toLine(action.rejectedBy ?? 'somebody', MAX_NAME)],
        ['Because', toLine(action.rejectionReason ?? 'no reason was given', MAX_REASON)],
      ];
  return {
    sentence: `${nameOf(action)} was rejected ${how}.`,
    story: [...approvalFacts(action), ...facts, ...endFacts(action)],
    deadline: null,
    buttons: ['details'],
  };
}

/** Not the same as rejected: nobody said no. */
function expired(action: ActionView): CardState {
  return {
    sentence: `${nameOf(action)} has expired: ${describeOutcome(action)}.`,
    story: [...approvalFacts(action), ...cancelFacts(action), ...endFacts(action)],
    deadline: null,
    buttons: ['details'],
  };
}

function cancelled(action: ActionView): CardState {
  const why = action.failureCode === null && !action.mayHaveRun ? '' : `: ${describeOutcome(action)}`;
  return {
    sentence: `${nameOf(action)} was cancelled by ${nameActor(action.cancelledBy)}${why}.`,
    story: [...approvalFacts(action), ...startFacts(action), ...cancelFacts(action), ...endFacts(action)],
    deadline: null,
    buttons: action.failureCode === 'playbook_changed' ? ['details', 'ask_again'] : ['details'],
  };
}

function nameOf(action: ActionView): string {
  return `${action.playbook} on ${action.server}${action.dryRun ? ' (dry run)' : ''}`;
}

function approverOf(action: ActionView): string {
  const names = action.approvals.map(({ by }) => by);
  return names.length > 1
    ? `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
    : (action.approvedBy ?? 'auto');
}

/** Nothing where it is tried only once. */
function describeAttempt({ attempt, maxAttempts }: ActionView): string {
  return maxAttempts === 1 ? '' : `, attempt ${attempt} of ${maxAttempts}`;
}

function describeStopping(action: ActionView): string {
  return action.cancelRequestedAt === null ? '' : ` ${action.cancelledBy ?? 'Somebody'} asked to cancel it.`;
}

/** Not the same as that nothing is done there: since when, a fact says. */
function describeUnknown({ unknownSince }: ActionView): string {
  return unknownSince === null ? '' : ' Nothing is heard of its agent: what becomes of it is not known.';
}

function describeHalted({ halt }: ActionView): string {
  return halt === null ? '' : ` ${describeReach(halt)}.`;
}

/** From its start to its end; nothing where it never ran. */
function describeLength(action: ActionView): string {
  if (action.executedAt === null || action.completedAt === null) return '';
  return ` after ${showDuration(action.completedAt.getTime() - action.executedAt.getTime())}`;
}

/** Groups that its ladder has asked as well. */
function backupFacts({ approvalFrom, requirement }: ActionView): Fact[] {
  const joined = (approvalFrom ?? []).filter((group) => requirement.from?.includes(group) === false);
  return joined.length === 0 ? [] : [['May decide too', toLine(joined.join(' and '), MAX_NAME)]];
}

function queueFacts(action: ActionView): Fact[] {
  const { queuedBehind, heldBy } = action;
  if (queuedBehind === null || heldBy?.code === 'held_back')
    return heldBy === null ? [] : [['Waits', toLine(describeHold(heldBy), MAX_REASON)]];
  const { id, playbook, ahead } = queuedBehind;
  const others = ahead > 1 ? `, ${ahead} actions in all` : '';
  return [['Queued behind', `${toLine(playbook, MAX_NAME)} (${shortId(id)})${others}`]];
}

/** Handed out is not started. */
function handOutFacts(action: ActionView): Fact[] {
  return [
    ...(action.handedOutAt === null ? [] : [['Handed out', action.handedOutAt] as const]),
    ...unknownFacts(action),
  ];
}

function unknownFacts({ unknownSince }: ActionView): Fact[] {
  return unknownSince === null ? [] : [['Unknown since', unknownSince]];
}

function startFacts(action: ActionView): Fact[] {
  const label = action.status === 'executing' && action.unknownSince === null ? 'Running since' : 'Started';
  return action.executedAt === null ? [] : [[label, action.executedAt]];
}

function endFacts(action: ActionView): Fact[] {
  const exit = describeExit(action);
  // Only who cancels by hand ends without the exit code in the sentence.
  const isTold = action.status !== 'cancelled' || action.failureCode !== null || action.mayHaveRun;
  return [
    ...(exit === null || isTold ? [] : [['Exit', toLine(exit, MAX_NAME)] as const]),
    ...(action.completedAt === null ? [] : [['Ended', action.completedAt] as const]),
    ...deadLetterFacts(action),
    ...lateFacts(action),
  ];
}
