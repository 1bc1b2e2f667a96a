import { haltCode } from '../../domain/halt.ts';
import type { Hold } from '../../domain/limits.ts';
import { describeHold } from '../../domain/limits.ts';
import type { ServerStatus } from '../../domain/liveness.ts';
import { AUTO_ACTOR } from '../../domain/principal.ts';
import { writeExactTime } from '../../domain/sentence.ts';
import type { ActionView } from '../actions/action-view.ts';
import { describeWait } from '../actions/describe-wait.ts';
import { describeHalt } from '../halts/halt-view.ts';

export const WAIT_CODES = [
  'halted',
  'frozen',
  'approval',
  'automatic',
  'cancelling',
  'paused',
  'held_back',
  'retry',
  'server_busy',
  'offline',
  'never_seen',
  'fleet_limit',
  'tag_share',
  'next',
] as const;
export type WaitCode = (typeof WAIT_CODES)[number];

export interface WaitReason {
  code: WaitCode;
  sentence: string;
}

/** Why an action waits at this moment: the first thing that would have to change. */
export function describeReason(
  action: ActionView,
  surroundings: { serverStatus: ServerStatus; hold: Hold | null; held: { id: string; playbook: string } | null },
): WaitReason {
  const { serverStatus, hold, held } = surroundings;
  if (action.cancelRequestedAt !== null) return { code: 'cancelling', sentence: 'Its cancellation is under way.' };
  if (action.halt !== null) return { code: haltCode(action.halt), sentence: describeHalt(action.halt) };
  if (action.status === 'pending') return describePending(action);
  if (action.isServerPaused && action.approvedBy === AUTO_ACTOR) {
    return { code: 'paused', sentence: 'Its server was paused, so it is being cancelled.' };
  }
  if (action.heldBy?.code === 'held_back') {
    return { code: 'held_back', sentence: `It waits ${describeHold(action.heldBy)}.` };
  }
  const { nextAttemptAt } = action;
  if (nextAttemptAt !== null && nextAttemptAt > new Date()) return describeRetry(action, nextAttemptAt);
  // what is tried again goes before all that is approved and not handed out
  const first = nextAttemptAt !== null && held !== null ? { ...held, ahead: 1 } : action.queuedBehind;
  const behind = first === null ? null : describeWait({ ...action, queuedBehind: first });
  if (behind !== null) return { code: 'server_busy', sentence: behind };
  if (serverStatus !== 'online') return { code: serverStatus, sentence: SILENT[serverStatus] };
  if (hold !== null) return { code: hold.code, sentence: `It waits ${describeHold(hold)}.` };
  return { code: 'next', sentence: 'It is handed out when its agent next asks.' };
}

const SILENT = {
  offline: 'Nothing has been heard of its agent lately.',
  never_seen: 'Its agent has never been heard of.',
} as const;

function describeRetry({ attempt, maxAttempts }: ActionView, at: Date): WaitReason {
  return {
    code: 'retry',
    sentence: `It failed and is tried again, as attempt ${attempt} of ${maxAttempts}, from ${writeExactTime(at)} on.`,
  };
}

function describePending({ approvals, approvalsRequired }: ActionView): WaitReason {
  if (approvalsRequired === 0) return { code: 'automatic', sentence: 'It is about to be approved by auto.' };
  return {
    code: 'approval',
    sentence: `It waits for people: ${approvals.length} of ${approvalsRequired} approved it.`,
  };
}
