import type { ActionWithNames } from '../../db/repositories/action.repository.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import type { Requirement, RiskLevel } from '../../domain/policy.ts';
import { groupsThatMayApprove, readRequirement } from '../../domain/policy.ts';

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
  attempt: number;
  alertId: string | null;
  dryRun: boolean;
  timeoutS: number;
  slackChannel: string | null;
  slackTs: string | null;
  slackPermalink: string | null;
  isServerPaused: boolean;
  /** Who paused the server, why, and until when where it ends by itself; null where it is not paused. */
  pausedBy: string | null;
  pauseReason: string | null;
  pausedUntil: Date | null;
  /** Approved and not its turn: the action that is first on that server, and how many go before in all. */
  queuedBehind: { id: string; playbook: string; ahead: number } | null;
  /** Running: step `step` of `steps`, as the agent last said; verification counts. */
  progress: { step: number; steps: number } | null;
  /** How many rungs of its ladder were climbed. */
  escalationStep: number;
  /** Pending: when the next rung is due. */
  nextEscalationAt: Date | null;
  hasLateResult: boolean;
}

export function toActionView(row: ActionWithNames & { has_late_result?: boolean }): ActionView {
  const requirement = readRequirement(row.approval_rule, row.approvals_required);
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
    alertId: row.alert_id,
    dryRun: row.dry_run,
    timeoutS: row.timeout_s,
    slackChannel: row.slack_channel,
    slackTs: row.slack_ts,
    slackPermalink: row.slack_permalink,
    isServerPaused: row.server_paused,
    pausedBy: row.server_paused ? row.paused_by : null,
    pauseReason: row.server_paused ? row.pause_reason : null,
    pausedUntil: row.server_paused ? row.paused_until : null,
    queuedBehind: row.queued_behind,
    progress: row.progress,
    escalationStep: row.escalation_step,
    nextEscalationAt: row.status === 'pending' ? row.next_escalation_at : null,
    hasLateResult: row.has_late_result ?? false,
  };
}
