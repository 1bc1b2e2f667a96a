import type { Generated, Insertable, Selectable, Updateable } from 'kysely';
import type { Hold } from '../domain/limits.ts';
import type { ActionStatus, DeadLetterState } from '../domain/lifecycle.ts';
import type { Requirement } from '../domain/policy.ts';
import type { RetryPolicy } from '../domain/retry.ts';
import type { AuditEventsTable, AuditHeadTable, AuditReportsTable, CheckpointsTable } from './audit-tables.ts';
import type { JsonOrNull, JsonWithDefault, Time, TimeOrNull, TimeWithDefault } from './column-types.ts';
import type { CommandState } from './entities/command.entity.ts';
import type { DecisionKind, DecisionStatus } from './entities/decision.entity.ts';
import type { HeldPlaybook, RunningCommand } from './entities/server.entity.ts';
import type { HaltsTable, HoldBacksTable } from './halt-tables.ts';
import type { AgentKeysTable, CommandKeySetsTable } from './key-tables.ts';
import type {
  ActionBatchesTable,
  SlackHomesTable,
  SlackLanesTable,
  SlackOutboxTable,
  SlackSocketsTable,
} from './slack-tables.ts';

/*
 * The tables as Kysely sees them: column names, timestamps as Date (a string may be written), bigint as number (every
 * one of ours stays below 2^53). A jsonb column is written with toJson(): a bare array would become a PostgreSQL one.
 * test/unit/db-tables.test.ts holds these names equal to the entities'.
 */

export interface ServersTable {
  id: string;
  name: string;
  tags: Generated<string[]>;
  paused: Generated<boolean>;
  paused_by: string | null;
  paused_at: TimeOrNull;
  pause_reason: string | null;
  paused_until: TimeOrNull;
  last_seen_at: TimeOrNull;
  agent_version: string | null;
  os: string | null;
  hostname: string | null;
  protocol: number | null;
  playbooks: JsonWithDefault<HeldPlaybook[]>;
  session_started_at: TimeOrNull;
  session_beat: number | null;
  boot_id: string | null;
  uptime_s: number | null;
  load: number | null;
  running: JsonWithDefault<RunningCommand[]>;
  next_seq: Generated<number>;
  heartbeat_interval_s: Generated<number>;
  journal_damaged_at: TimeOrNull;
  journal_damaged_lines: number | null;
  revoked_at: TimeOrNull;
  created_at: TimeWithDefault;
}

export interface EnrollmentTokensTable {
  id: string;
  token_hash: string;
  server_name: string;
  tags: Generated<string[]>;
  created_by: string;
  created_at: TimeWithDefault;
  expires_at: Time;
  used_at: TimeOrNull;
}

export interface AlertsTable {
  id: string;
  source: string;
  title: string;
  data: JsonWithDefault<Record<string, unknown>>;
  created_at: TimeWithDefault;
}

export interface ActionsTable {
  id: string;
  server_id: string;
  playbook: string;
  playbook_digest: string;
  params: JsonWithDefault<Record<string, unknown>>;
  argv_preview: JsonWithDefault<string[][]>;
  risk: string;
  status: Generated<ActionStatus>;
  reason: string | null;
  requested_by: string;
  requested_via: string;
  requested_at: TimeWithDefault;
  approvals_required: number;
  /** What was requested by an older version lacks the later members: readRequirement() fills them. */
  approval_rule: JsonOrNull<Partial<Requirement>>;
  approval_timeout_s: number;
  start_within_s: number;
  timeout_s: number;
  dry_run: Generated<boolean>;
  alert_id: string | null;
  expires_at: TimeOrNull;
  approved_by: string | null;
  approved_at: TimeOrNull;
  approved_seq: number | null;
  rejected_by: string | null;
  rejected_at: TimeOrNull;
  rejection_reason: string | null;
  cancelled_by: string | null;
  cancel_reason: string | null;
  cancel_requested_at: TimeOrNull;
  executed_at: TimeOrNull;
  completed_at: TimeOrNull;
  exit_code: number | null;
  signal: string | null;
  failure_code: string | null;
  attempt: Generated<number>;
  stdout: string | null;
  stderr: string | null;
  stdout_bytes: number | null;
  stderr_bytes: number | null;
  stdout_sha256: string | null;
  stderr_sha256: string | null;
  truncated: Generated<boolean>;
  slack_channel: string | null;
  slack_ts: string | null;
  slack_permalink: string | null;
  workflow_started_at: TimeOrNull;
  request_key: string | null;
  slack_requester_channel: string | null;
  escalation_step: Generated<number>;
  next_escalation_at: TimeOrNull;
  retry: JsonOrNull<RetryPolicy>;
  next_attempt_at: TimeOrNull;
  dead_letter: DeadLetterState | null;
  dismissed_by: string | null;
  dismissed_at: TimeOrNull;
  dismiss_reason: string | null;
  replay_of: string | null;
  /** The playbook was another one than that of `replay_of`. */
  replay_changed: Generated<boolean>;
  batch_id: string | null;
  held_by: JsonOrNull<Hold>;
  hold_back_after: Generated<number>;
}

export interface DecisionsTable {
  id: string;
  action_id: string;
  kind: DecisionKind;
  principal: string;
  via: string;
  reason: string | null;
  code: string | null;
  playbook_digest: string | null;
  /** Those of the rule that the person was in when they decided. */
  groups: Generated<string[]>;
  break_glass: Generated<boolean>;
  status: Generated<DecisionStatus>;
  answer: JsonOrNull<Record<string, unknown>>;
  created_at: TimeWithDefault;
  applied_at: TimeOrNull;
}

export interface PrincipalTotpsTable {
  principal: string;
  secret: string;
  enrolled_at: TimeWithDefault;
  last_step: number | null;
  failures: Generated<number>;
  locked_until: TimeOrNull;
}

export interface CommandsTable {
  id: string;
  action_id: string;
  attempt: number;
  server_id: string;
  seq: number;
  state: Generated<CommandState>;
  issued_at: TimeWithDefault;
  exp: Time;
  started_at: TimeOrNull;
  cancel_requested: Generated<boolean>;
  ended_at: TimeOrNull;
  step: Generated<number>;
  steps: Generated<number>;
  failure_code: string | null;
  unknown_shown: Generated<boolean>;
}

export interface ResultsTable {
  id: Generated<number>;
  command_id: string;
  action_id: string | null;
  attempt: number;
  status: string;
  code: string | null;
  exit_code: number | null;
  signal: string | null;
  started_at: TimeOrNull;
  finished_at: TimeOrNull;
  stdout: Generated<string>;
  stderr: Generated<string>;
  stdout_bytes: Generated<number>;
  stderr_bytes: Generated<number>;
  stdout_sha256: string | null;
  stderr_sha256: string | null;
  truncated: Generated<boolean>;
  received_at: TimeWithDefault;
  is_late: Generated<boolean>;
  adopted_at: TimeOrNull;
}

export interface ApiTokensTable {
  id: string;
  token_hash: string;
  principal: string;
  role: string;
  created_at: TimeWithDefault;
  expires_at: TimeOrNull;
  revoked_at: TimeOrNull;
  last_used_at: TimeOrNull;
}

export interface IdempotencyKeysTable {
  principal: string;
  method: string;
  path: string;
  key: string;
  body_hash: string;
  status: number | null;
  answer: JsonOrNull<unknown>;
  created_at: TimeWithDefault;
}

export interface Tables {
  servers: ServersTable;
  agent_keys: AgentKeysTable;
  enrollment_tokens: EnrollmentTokensTable;
  alerts: AlertsTable;
  actions: ActionsTable;
  action_batches: ActionBatchesTable;
  decisions: DecisionsTable;
  principal_totps: PrincipalTotpsTable;
  commands: CommandsTable;
  results: ResultsTable;
  halts: HaltsTable;
  hold_backs: HoldBacksTable;
  slack_outbox: SlackOutboxTable;
  slack_lanes: SlackLanesTable;
  slack_homes: SlackHomesTable;
  slack_sockets: SlackSocketsTable;
  api_tokens: ApiTokensTable;
  idempotency_keys: IdempotencyKeysTable;
  audit_events: AuditEventsTable;
  audit_head: AuditHeadTable;
  checkpoints: CheckpointsTable;
  command_key_sets: CommandKeySetsTable;
  audit_reports: AuditReportsTable;
}

export type Row<T extends keyof Tables> = Selectable<Tables[T]>;
export type NewRow<T extends keyof Tables> = Insertable<Tables[T]>;
export type RowChange<T extends keyof Tables> = Updateable<Tables[T]>;

/** A value for a jsonb column. */
export function toJson(value: unknown): string {
  return JSON.stringify(value);
}
