import type { ActionWithNames } from '../../db/repositories/action.repository.ts';
import type { Attempt } from '../../db/repositories/attempt.repository.ts';
import type { ActionStatus, DeadLetterState } from '../../domain/lifecycle.ts';
import { isEnded } from '../../domain/lifecycle.ts';
import type { Hold } from '../../domain/limits.ts';
import { isServerOffline } from '../../domain/liveness.ts';
import type { Requirement, RiskLevel } from '../../domain/policy.ts';
import { groupsThatMayApprove, readRequirement } from '../../domain/policy.ts';
import type { HaltView } from '../halts/halt-view.ts';
import { toHaltView } from '../halts/halt-view.ts';

export interface ApprovalView {
  by: string;
  at: Date;
  reason: string | null;
  /** Of the rule's groups, those the person stood for. */
  groups: readonly string[];
  /** Past quorum, group and one-time code, by an admin. */
  isBreakGlass: boolean;
}

/** An action as every way out shows it (contract §4, "An action as JSON"). */
export interface ActionView {
  id: string;
  /** The server's name. */
  server: string;
  playbook: string;
  playbookDigest: string;
  params: Record<string, unknown>;
  /** One array of arguments a step, verification last. */
  argvPreview: string[][];
  risk: RiskLevel;
  status: ActionStatus;
  reason: string | null;
  requestedBy: string;
  requestedVia: string;
  requestedAt: Date;
  approvals: ApprovalView[];
  /** What it needs, whole, as it was fixed at the request. */
  requirement: Requirement;
  approvalsRequired: number;
  /** Groups that may approve now; null: every approver. */
  approvalFrom: readonly string[] | null;
  approvalRule: string;
  approvedBy: string | null;
  approvedAt: Date | null;
  rejectedBy: string | null;
  rejectedAt: Date | null;
  rejectionReason: string | null;
  cancelledBy: string | null;
  cancelReason: string | null;
  cancelRequestedAt: Date | null;
  expiresAt: Date | null;
  executedAt: Date | null;
  completedAt: Date | null;
  exitCode: number | null;
  signal: string | null;
  stdout: string | null;
  stderr: string | null;
  stdoutBytes: number | null;
  stderrBytes: number | null;
  truncated: boolean;
  failureCode: string | null;
  /** The one that runs, or that is owed next; the last one where it has ended. */
  attempt: number;
  /** How many it has at most. */
  maxAttempts: number;
  /** Between two attempts: when the next may start. */
  nextAttemptAt: Date | null;
  /** Those that were handed out, the first first; only where its playbook says that it is tried again. */
  attempts: Attempt[];
  /** Whether it waits to be replayed or dismissed, or what came of that; null where it was not given up on. */
  deadLetter: DeadLetterState | null;
  dismissedBy: string | null;
  dismissReason: string | null;
  /** The dead letter that it asks for again. */
  replayOf: string | null;
  /** Its playbook is another one than that of `replayOf`. */
  isReplayChanged: boolean;
  alertId: string | null;
  dryRun: boolean;
  timeoutS: number;
  slackChannel: string | null;
  slackTs: string | null;
  slackPermalink: string | null;
  serverTags: readonly string[];
  /** Not ended, and a halt covers it: nothing of it starts until that is lifted. */
  halt: HaltView | null;
  isServerPaused: boolean;
  /** Who paused the server, why, and until when where it ends by itself; null where it is not paused. */
  pausedBy: string | null;
  pauseReason: string | null;
  pausedUntil: Date | null;
  /** Approved and not its turn: the action that is first on that server, and how many go before in all. */
  queuedBehind: { id: string; playbook: string; ahead: number } | null;
  /** Approved, and its playbook is held back there; or it is its turn, its agent is there, and this is full. */
  heldBy: Hold | null;
  /** When the attempt that is owed was given to its agent, which need not have begun; null once it has ended. */
  handedOutAt: Date | null;
  /** Handed out or running, and nothing is heard of its server: since when nobody knows what becomes of it. */
  unknownSince: Date | null;
  /** Ended after it was handed out, and no result counts: nobody knows whether it ran. */
  mayHaveRun: boolean;
  /** Running: step `step` of `steps`, as the agent last said; verification counts. */
  progress: { step: number; steps: number } | null;
  /** How many steps of its ladder were taken. */
  escalationStep: number;
  /** Pending: when the next step is due. */
  nextEscalationAt: Date | null;
  hasLateResult: boolean;
}

type StoredAction = ActionWithNames & { has_late_result?: boolean };

export function toActionView(row: StoredAction): ActionView {
  return { ...viewRequest(row), ...viewDecisions(row), ...viewRun(row), ...viewSurroundings(row) };
}

function viewRequest(row: StoredAction) {
  return {
    id: row.id,
    server: row.server_name,
    playbook: row.playbook,
    playbookDigest: row.playbook_digest,
    params: row.params,
    argvPreview: row.argv_preview,
    risk: row.risk as RiskLevel,
    status: row.status,
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedVia: row.requested_via,
    requestedAt: row.requested_at,
    deadLetter: row.dead_letter,
    dismissedBy: row.dismissed_by,
    dismissReason: row.dismiss_reason,
    replayOf: row.replay_of,
    isReplayChanged: row.replay_changed,
    alertId: row.alert_id,
    dryRun: row.dry_run,
    timeoutS: row.timeout_s,
  };
}

function viewDecisions(row: StoredAction) {
  const requirement = readRequirement(row.approval_rule, row.approvals_required);
  return {
    approvals: row.approvals,
    approvalsRequired: row.approvals_required,
    requirement,
    approvalFrom: groupsThatMayApprove(requirement, row.escalation_step),
    approvalRule: requirement.text,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at,
    rejectedBy: row.rejected_by,
    rejectedAt: row.rejected_at,
    rejectionReason: row.rejection_reason,
    cancelledBy: row.cancelled_by,
    cancelReason: row.cancel_reason,
    cancelRequestedAt: row.cancel_requested_at,
    expiresAt: row.expires_at,
    escalationStep: row.escalation_step,
    nextEscalationAt: row.status === 'pending' ? row.next_escalation_at : null,
  };
}

function viewRun(row: StoredAction) {
  return {
    executedAt: row.executed_at,
    completedAt: row.completed_at,
    exitCode: row.exit_code,
    signal: row.signal,
    stdout: row.stdout,
    stderr: row.stderr,
    stdoutBytes: row.stdout_bytes,
    stderrBytes: row.stderr_bytes,
    truncated: row.truncated,
    failureCode: row.failure_code,
    attempt: row.attempt,
    maxAttempts: row.retry?.attempts ?? 1,
    nextAttemptAt: row.next_attempt_at,
    attempts: row.attempts,
    progress: row.status === 'executing' ? (row.handed_out?.progress ?? null) : null,
    handedOutAt: row.handed_out?.at ?? null,
    unknownSince: row.handed_out?.isUnknown === true ? row.server_last_seen_at : null,
    mayHaveRun: row.may_have_run,
    hasLateResult: row.has_late_result ?? false,
  };
}

function viewSurroundings(row: StoredAction) {
  return {
    slackChannel: row.slack_channel,
    slackTs: row.slack_ts,
    slackPermalink: row.slack_permalink,
    serverTags: row.server_tags,
    halt: row.halt === null ? null : toHaltView(row.halt),
    isServerPaused: row.server_paused,
    pausedBy: row.server_paused ? row.paused_by : null,
    pauseReason: row.server_paused ? row.pause_reason : null,
    pausedUntil: row.server_paused ? row.paused_until : null,
    queuedBehind: row.queued_behind,
    heldBy: viewHold(row),
  };
}

/** As its server was told when it last asked: of one that asks no more it would be old. What is held back is so at once. */
function viewHold(row: StoredAction): Hold | null {
  if (row.hold_back !== null && (row.status === 'approved' || row.next_attempt_at !== null)) {
    return { code: 'held_back', failures: row.hold_back.failures, action: row.hold_back.action_id };
  }
  const liveness = { last_seen_at: row.server_last_seen_at, heartbeat_interval_s: row.heartbeat_interval_s };
  const isTold = row.queued_behind === null && !isEnded(row.status) && !isServerOffline(liveness, new Date());
  return isTold ? row.held_by : null;
}
