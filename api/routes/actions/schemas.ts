import * as z from 'zod';
import { ACTION_STATUSES, DEAD_LETTER_STATES } from '../../../domain/lifecycle.ts';
import { RISKS } from '../../../playbook/playbook.ts';
import type { ActionView } from '../../../services/actions/action-view.ts';
import type { ActionExplanation } from '../../../services/actions/explain-action.ts';
import { pageQuery, textOrNull, time, timeOrNull, toTime } from '../../schemas.ts';

export const actionId = z.strictObject({ id: z.string().max(64) });

export const requestBody = z.strictObject({
  server: z.string().max(128).describe('Its name or id.'),
  playbook: z.string().min(1).max(128),
  params: z.record(z.string(), z.unknown()).default({}),
  reason: z.string().optional(),
  alert_id: z.string().max(128).optional(),
  timeout_s: z.number().positive().optional().describe('At most the max_timeout of the playbook.'),
  dry_run: z.boolean().optional().describe('Renders and checks everything and starts nothing.'),
});

export const approveBody = z.strictObject({
  reason: z.string().optional(),
  playbook_digest: z.string().optional().describe('What the approver saw; 409 if it is another.'),
  confirm_server: z
    .string()
    .max(128)
    .optional()
    .describe('The server’s name, typed: risk high and critical ask for it.'),
  totp: z.string().max(16).optional().describe('A one-time code: risk critical asks for it.'),
  break_glass: z
    .boolean()
    .optional()
    .describe('An admin’s approval past quorum, group and code; takes a reason, is audited and told in the channel.'),
});
export const rejectBody = z.strictObject({ reason: z.string() });
export const cancelBody = z.strictObject({ reason: z.string().optional() });

export const actionQuery = pageQuery.extend({
  status: z.string().max(40).optional(),
  server: z.string().max(128).optional(),
  playbook: z.string().max(128).optional(),
});

const approvalJson = z.object({ by: z.string(), at: time, reason: textOrNull, break_glass: z.boolean() });

const attemptJson = z.object({
  attempt: z.number().int(),
  command_id: z.string(),
  issued_at: time,
  started_at: timeOrNull,
  ended_at: timeOrNull,
  exit_code: z.number().int().nullable(),
  signal: textOrNull,
  failure_code: textOrNull,
});

export const actionJson = z.object({
  id: z.string(),
  server: z.string().describe('Its name.'),
  playbook: z.string(),
  playbook_digest: z.string(),
  params: z.record(z.string(), z.unknown()),
  argv_preview: z.array(z.array(z.string())),
  risk: z.enum(RISKS),
  status: z.enum(ACTION_STATUSES),
  reason: textOrNull,
  requested_by: z.string(),
  requested_via: z.string(),
  requested_at: time,
  approvals: z.array(approvalJson),
  approvals_required: z.number().int(),
  approval_from: z.array(z.string()).nullable().describe('Groups that may approve now; null: every approver.'),
  approval_rule: z.string().describe('Why it needs them, as a sentence.'),
  approved_by: textOrNull.describe('The last one.'),
  approved_at: timeOrNull,
  rejected_by: textOrNull,
  rejected_at: timeOrNull,
  rejection_reason: textOrNull,
  cancelled_by: textOrNull,
  cancel_reason: textOrNull,
  expires_at: timeOrNull,
  executed_at: timeOrNull,
  completed_at: timeOrNull,
  exit_code: z.number().int().nullable(),
  signal: textOrNull,
  stdout: textOrNull,
  stderr: textOrNull,
  stdout_bytes: z.number().int().nullable(),
  stderr_bytes: z.number().int().nullable(),
  truncated: z.boolean(),
  failure_code: textOrNull,
  attempt: z.number().int(),
  max_attempts: z.number().int(),
  next_attempt_at: timeOrNull.describe('Between two attempts: when the next may start.'),
  attempts: z.array(attemptJson).describe('Those handed out, where its playbook says that it is tried again.'),
  dead_letter: z.enum(DEAD_LETTER_STATES).nullable().describe('Given up on: whether it was replayed or dismissed.'),
  dismissed_by: textOrNull,
  dismiss_reason: textOrNull,
  replay_of: textOrNull.describe('The dead letter that it asks for again.'),
  replay_changed: z.boolean().describe('Its playbook is another one than that of replay_of.'),
  alert_id: textOrNull,
  dry_run: z.boolean(),
  timeout_s: z.number(),
  slack_permalink: textOrNull,
  queued_behind: z
    .object({ id: z.string(), playbook: z.string(), ahead: z.number().int() })
    .nullable()
    .describe('Approved and not its turn: what is first on that server, and how many go before in all.'),
  held_by: z
    .object({
      code: z.enum(['fleet_limit', 'tag_share', 'held_back']),
      limit: z.number().int().nullable(),
      tag: textOrNull,
      servers: z.number().int().nullable(),
      failures: z.number().int().nullable(),
      action: textOrNull,
    })
    .nullable()
    .describe(
      'Approved, its turn, and as much runs as `limits` allows, over the fleet or on the servers of one tag; or its playbook failed there so often in a row that somebody has to deal with `action` first.',
    ),
  handed_out_at: timeOrNull.describe('When its agent was given the attempt that is owed; it need not have begun.'),
  unknown_since: timeOrNull.describe('Handed out or running, and its server is offline: when it was last heard of.'),
  may_have_run: z.boolean().describe('Ended after it was handed out, and no result came that counts.'),
  progress: z
    .object({ step: z.number().int(), steps: z.number().int() })
    .nullable()
    .describe('Running: which step, as its agent last said; verification counts.'),
  has_late_result: z.boolean().describe('A result came after the end; it changed nothing.'),
});

export const explanationJson = z.object({
  rule: z.string(),
  end: textOrNull.describe('What has become of it, as a sentence; null while it waits for people.'),
  waits: textOrNull.describe('What holds up its start, as a sentence; null where nothing does.'),
  may: z.array(z.string()).describe('Who may approve now.'),
  has: z.array(approvalJson),
  could_not: z.array(z.object({ name: z.string(), why: z.string() })),
});

export const decisionJson = actionJson.extend({
  outcome: z.enum(['applied', 'recorded']).describe('recorded: Temporal is away; it is applied once it is back.'),
  sentence: z.string(),
});

export function toActionJson(view: ActionView): z.infer<typeof actionJson> {
  return { ...writeRequest(view), ...writeDecisions(view), ...writeRun(view) };
}

function writeRequest(view: ActionView) {
  return {
    id: view.id,
    server: view.server,
    playbook: view.playbook,
    playbook_digest: view.playbookDigest,
    params: view.params,
    argv_preview: view.argvPreview,
    risk: view.risk,
    status: view.status,
    reason: view.reason,
    requested_by: view.requestedBy,
    requested_via: view.requestedVia,
    requested_at: view.requestedAt.toISOString(),
  };
}

function writeDecisions(view: ActionView) {
  return {
    approvals: view.approvals.map(toApprovalJson),
    approvals_required: view.approvalsRequired,
    approval_from: view.approvalFrom === null ? null : [...view.approvalFrom],
    approval_rule: view.approvalRule,
    approved_by: view.approvedBy,
    approved_at: toTime(view.approvedAt),
    rejected_by: view.rejectedBy,
    rejected_at: toTime(view.rejectedAt),
    rejection_reason: view.rejectionReason,
    cancelled_by: view.cancelledBy,
    cancel_reason: view.cancelReason,
    expires_at: toTime(view.expiresAt),
  };
}

function writeRun(view: ActionView) {
  return {
    executed_at: toTime(view.executedAt),
    completed_at: toTime(view.completedAt),
    exit_code: view.exitCode,
    signal: view.signal,
    stdout: view.stdout,
    stderr: view.stderr,
    stdout_bytes: view.stdoutBytes,
    stderr_bytes: view.stderrBytes,
    truncated: view.truncated,
    failure_code: view.failureCode,
    attempt: view.attempt,
    max_attempts: view.maxAttempts,
    next_attempt_at: toTime(view.nextAttemptAt),
    attempts: view.attempts.map(toAttemptJson),
    dead_letter: view.deadLetter,
    dismissed_by: view.dismissedBy,
    dismiss_reason: view.dismissReason,
    replay_of: view.replayOf,
    replay_changed: view.isReplayChanged,
    alert_id: view.alertId,
    dry_run: view.dryRun,
    timeout_s: view.timeoutS,
    slack_permalink: view.slackPermalink,
    queued_behind: view.queuedBehind,
    held_by: view.heldBy === null ? null : { ...NO_HOLD, ...view.heldBy },
    handed_out_at: toTime(view.handedOutAt),
    unknown_since: toTime(view.unknownSince),
    may_have_run: view.mayHaveRun,
    progress: view.progress,
    has_late_result: view.hasLateResult,
  };
}

const NO_HOLD = { limit: null, tag: null, servers: null, failures: null, action: null };

function toApprovalJson({ by, at, reason, isBreakGlass }: ActionView['approvals'][number]) {
  return { by, at: at.toISOString(), reason, break_glass: isBreakGlass };
}

function toAttemptJson(attempt: ActionView['attempts'][number]): z.infer<typeof attemptJson> {
  return {
    attempt: attempt.attempt,
    command_id: attempt.commandId,
    issued_at: attempt.issuedAt.toISOString(),
    started_at: toTime(attempt.startedAt),
    ended_at: toTime(attempt.endedAt),
    exit_code: attempt.exitCode,
    signal: attempt.signal,
    failure_code: attempt.failureCode,
  };
}

export function toExplanationJson(told: ActionExplanation): z.infer<typeof explanationJson> {
  const couldNot = told.couldNot.map(({ name, sentence }) => ({ name, why: sentence }));
  return {
    rule: told.rule,
    end: told.end,
    waits: told.waits,
    may: told.may,
    has: told.has.map(toApprovalJson),
    could_not: couldNot,
  };
}
