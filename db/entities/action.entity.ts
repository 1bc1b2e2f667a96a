import { defineEntity, p } from '@mikro-orm/core';
import type { Hold } from '../../domain/limits.ts';
import type { ActionStatus, DeadLetterState } from '../../domain/lifecycle.ts';
import type { Requirement } from '../../domain/policy.ts';
import type { RetryPolicy } from '../../domain/retry.ts';
import { ActionBatch } from './action-batch.entity.ts';
import { Alert } from './alert.entity.ts';
import { Server } from './server.entity.ts';

const ActionSchema = defineEntity({
  name: 'Action',
  tableName: 'actions',
  properties: {
    id: p.text().primary(),
    server: () => p.manyToOne(Server),
    playbook: p.text(),
    playbookDigest: p.text(),
    params: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    argvPreview: p.json<string[][]>().defaultRaw(`'[]'`),
    risk: p.text(),
    status: p.text().$type<ActionStatus>().default('pending'),
    reason: p.text().nullable(),
    requestedBy: p.text(),
    requestedVia: p.text(),
    requestedAt: p.datetime(3).defaultRaw('now()'),
    approvalsRequired: p.integer(),
    approvalRule: p.json<Partial<Requirement>>().nullable(),
    approvalTimeoutS: p.integer(),
    startWithinS: p.integer(),
    timeoutS: p.integer(),
    dryRun: p.boolean().default(false),
    alert: () => p.manyToOne(Alert).nullable().deleteRule('set null'),
    expiresAt: p.datetime(3).nullable(),
    approvedBy: p.text().nullable(),
    approvedAt: p.datetime(3).nullable(),
    approvedSeq: p.bigint('number').nullable(),
    rejectedBy: p.text().nullable(),
    rejectedAt: p.datetime(3).nullable(),
    rejectionReason: p.text().nullable(),
    cancelledBy: p.text().nullable(),
    cancelReason: p.text().nullable(),
    cancelRequestedAt: p.datetime(3).nullable(),
    executedAt: p.datetime(3).nullable(),
    completedAt: p.datetime(3).nullable(),
    exitCode: p.integer().nullable(),
    signal: p.text().nullable(),
    failureCode: p.text().nullable(),
    attempt: p.integer().default(1),
    stdout: p.text().nullable(),
    stderr: p.text().nullable(),
    stdoutBytes: p.bigint('number').nullable(),
    stderrBytes: p.bigint('number').nullable(),
    stdoutSha256: p.text().nullable(),
    stderrSha256: p.text().nullable(),
    truncated: p.boolean().default(false),
    slackChannel: p.text().nullable(),
    slackTs: p.text().nullable(),
    slackPermalink: p.text().nullable(),
    workflowStartedAt: p.datetime(3).nullable(),
    requestKey: p.text().nullable().unique('actions_request_key_unique'),
    slackRequesterChannel: p.text().nullable(),
    escalationStep: p.integer().default(0),
    nextEscalationAt: p.datetime(3).nullable(),
    retry: p.json<RetryPolicy>().nullable(),
    nextAttemptAt: p.datetime(3).nullable(),
    heldBy: p.json<Hold>().nullable(),
    holdBackAfter: p.integer().default(0),
    deadLetter: p.text().$type<DeadLetterState>().nullable(),
    dismissedBy: p.text().nullable(),
    dismissedAt: p.datetime(3).nullable(),
    dismissReason: p.text().nullable(),
    replayOf: p.text().nullable().unique('actions_replay_of_unique'),
    replayChanged: p.boolean().default(false),
    batch: () => p.manyToOne(ActionBatch).nullable().deleteRule('set null'),
  },
  indexes: [
    { name: 'actions_requested_index', properties: ['requestedAt', 'id'] },
    { name: 'actions_server_requested_index', properties: ['server', 'requestedAt', 'id'] },
    { name: 'actions_requester_index', properties: ['requestedBy', 'requestedAt'] },
    { name: 'actions_batch_index', properties: ['batch', 'requestedAt', 'id'] },
    { name: 'actions_playbook_requested_index', properties: ['playbook', 'requestedAt'] },
    {
      name: 'actions_ends_index',
      properties: ['server', 'playbook', 'status', 'completedAt'],
      where: 'not "dry_run"',
    },
    { name: 'actions_alert_index', properties: ['alert'] },
    { name: 'actions_queue_index', properties: ['server', 'approvedSeq'], where: `"status" = 'approved'` },
    {
      name: 'actions_waiting_index',
      properties: ['server'],
      where: `"status" = any (array['pending'::text, 'approved'::text])`,
    },
    {
      name: 'actions_escalation_index',
      properties: ['nextEscalationAt'],
      where: `"status" = 'pending' and "next_escalation_at" is not null`,
    },
    {
      name: 'actions_retry_index',
      properties: ['server', 'nextAttemptAt'],
      where: `"status" = 'executing' and "next_attempt_at" is not null`,
    },
    {
      name: 'actions_dead_letter_index',
      properties: ['requestedAt', 'id'],
      where: `"dead_letter" = 'open'`,
    },
    {
      name: 'actions_open_index',
      properties: ['requestedAt', 'id'],
      where: `"status" = any (array['pending'::text, 'approved'::text, 'executing'::text])`,
    },
  ],
  checks: [
    {
      name: 'actions_completed_needs_exit_code',
      expression: `status <> 'completed' or dry_run or exit_code is not null`,
    },
    { name: 'actions_next_attempt_check', expression: `next_attempt_at is null or status = 'executing'` },
    {
      name: 'actions_dead_letter_check',
      expression: `dead_letter is null or dead_letter in ('open', 'replayed', 'dismissed')`,
    },
    { name: 'actions_approvals_required_check', expression: 'approvals_required >= 0' },
  ],
});

/**
 * One requested run of one playbook on one server. `expiresAt` is the end of the approval window and, once approved,
 * of the time to start in; `completedAt` is set at any end; `approvedSeq` is set by the database and orders the queue
 * of a server. `escalationStep` counts the steps of its ladder that were taken; `nextEscalationAt` is null where none
 * is left. `nextAttemptAt` stands while attempt `attempt` is owed after an earlier one, until its agent holds it.
 * `holdBackAfter` failures in a row of its playbook on its server hold that back there; 0: never.
 * `heldBy` is what keeps its turn from coming, as its server was last told; null once it is handed out.
 */
export class Action extends ActionSchema.class {}
ActionSchema.setClass(Action);
