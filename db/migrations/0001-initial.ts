import { Migration } from '@mikro-orm/migrations';

const UP = `
create table alerts (
  id text not null,
  source text not null,
  title text not null,
  data jsonb not null default '{}',
  created_at timestamptz(3) not null default now(),
  primary key (id)
);
create table api_tokens (
  id text not null,
  token_hash text not null,
  principal text not null,
  role text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3),
  primary key (id)
);
alter table api_tokens add constraint api_tokens_token_hash_unique unique (token_hash);
create table audit_events (
  seq bigint not null,
  body text not null,
  at timestamptz(3) not null,
  actor text not null,
  via text not null,
  event text not null,
  subject_type text not null,
  subject_id text not null,
  primary key (seq)
);
create index audit_events_subject_index on audit_events (subject_type, subject_id, seq);
create table audit_head (
  id int not null,
  seq bigint not null,
  hash text not null,
  primary key (id)
);
alter table audit_head add constraint audit_head_one_row check (id = 1);
create table enrollment_tokens (
  id text not null,
  token_hash text not null,
  server_name text not null,
  tags text[] not null default '{}',
  created_by text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  used_at timestamptz(3),
  primary key (id)
);
alter table enrollment_tokens add constraint enrollment_tokens_token_hash_unique unique (token_hash);
create table idempotency_keys (
  principal text not null,
  method text not null,
  path text not null,
  key text not null,
  body_hash text not null,
  status int,
  answer jsonb,
  created_at timestamptz(3) not null default now(),
  primary key (principal, method, path, key)
);
create index idempotency_keys_created_index on idempotency_keys (created_at);
create table servers (
  id text not null,
  name text not null,
  tags text[] not null default '{}',
  paused boolean not null default false,
  paused_by text,
  paused_at timestamptz(3),
  pause_reason text,
  paused_until timestamptz(3),
  last_seen_at timestamptz(3),
  agent_version text,
  os text,
  hostname text,
  protocol int,
  playbooks jsonb not null default '[]',
  session_started_at timestamptz(3),
  session_beat bigint,
  boot_id text,
  uptime_s double precision,
  load double precision,
  running jsonb not null default '[]',
  next_seq bigint not null default 1,
  heartbeat_interval_s int not null default 60,
  revoked_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  primary key (id)
);
alter table servers add constraint servers_name_unique unique (name);
create table agent_keys (
  id text not null,
  server_id text not null,
  kid text not null,
  public_key jsonb not null,
  created_at timestamptz(3) not null default now(),
  revoked_at timestamptz(3),
  primary key (id)
);
alter table agent_keys add constraint agent_keys_kid_unique unique (kid);
create unique index agent_keys_one_in_use on agent_keys (server_id) where revoked_at is null;
create table actions (
  id text not null,
  server_id text not null,
  playbook text not null,
  playbook_digest text not null,
  params jsonb not null default '{}',
  argv_preview jsonb not null default '[]',
  risk text not null,
  status text not null default 'pending',
  reason text,
  requested_by text not null,
  requested_via text not null,
  requested_at timestamptz(3) not null default now(),
  approvals_required int not null,
  approval_rule jsonb,
  approval_timeout_s int not null,
  start_within_s int not null,
  timeout_s int not null,
  dry_run boolean not null default false,
  alert_id text,
  expires_at timestamptz(3),
  approved_by text,
  approved_at timestamptz(3),
  approved_seq bigint,
  rejected_by text,
  rejected_at timestamptz(3),
  rejection_reason text,
  cancelled_by text,
  cancel_reason text,
  cancel_requested_at timestamptz(3),
  executed_at timestamptz(3),
  completed_at timestamptz(3),
  exit_code int,
  signal text,
  failure_code text,
  attempt int not null default 1,
  stdout text,
  stderr text,
  stdout_bytes bigint,
  stderr_bytes bigint,
  stdout_sha256 text,
  stderr_sha256 text,
  truncated boolean not null default false,
  slack_channel text,
  slack_ts text,
  slack_permalink text,
  workflow_started_at timestamptz(3),
  request_key text,
  slack_requester_channel text,
  primary key (id)
);
alter table actions add constraint actions_request_key_unique unique (request_key);
create index actions_requested_index on actions (requested_at, id);
create index actions_server_requested_index on actions (server_id, requested_at, id);
create index actions_alert_index on actions (alert_id);
create index actions_queue_index on actions (server_id, approved_seq) where status = 'approved';
create index actions_open_index on actions (requested_at, id) where status = any (array['pending'::text, 'approved'::text, 'executing'::text]);
alter table actions add constraint actions_completed_needs_exit_code check (status <> 'completed' or dry_run or exit_code is not null);
alter table actions add constraint actions_approvals_required_check check (approvals_required >= 0);
create table results (
  id bigserial primary key,
  command_id text not null,
  action_id text,
  attempt int not null,
  status text not null,
  code text,
  exit_code int,
  signal text,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  stdout text not null default '',
  stderr text not null default '',
  stdout_bytes bigint not null default 0,
  stderr_bytes bigint not null default 0,
  stdout_sha256 text,
  stderr_sha256 text,
  truncated boolean not null default false,
  received_at timestamptz(3) not null default now(),
  is_late boolean not null default false,
  adopted_at timestamptz(3)
);
create index results_action_index on results (action_id, received_at);
create index results_unadopted_index on results (received_at) where adopted_at is null and is_late = false;
create unique index results_one_per_command on results (command_id) where is_late = false;
create table decisions (
  id text not null,
  action_id text not null,
  kind text not null,
  principal text not null,
  via text not null,
  reason text,
  code text,
  playbook_digest text,
  status text not null default 'recorded',
  answer jsonb,
  created_at timestamptz(3) not null default now(),
  applied_at timestamptz(3),
  primary key (id)
);
create index decisions_action_index on decisions (action_id, created_at);
create index decisions_recorded_index on decisions (created_at) where status = 'recorded';
create unique index decisions_one_per_person on decisions (action_id, principal) where status = 'applied' and kind = any (array['approve'::text, 'reject'::text]);
alter table decisions add constraint decisions_kind_check check (kind in ('approve', 'reject', 'cancel'));
alter table decisions add constraint decisions_status_check check (status in ('recorded', 'applied', 'refused'));
create table commands (
  id text not null,
  action_id text not null,
  attempt int not null,
  server_id text not null,
  seq bigint not null,
  state text not null default 'handed_out',
  issued_at timestamptz(3) not null default now(),
  exp timestamptz(3) not null,
  started_at timestamptz(3),
  cancel_requested boolean not null default false,
  ended_at timestamptz(3),
  primary key (id)
);
alter table commands add constraint commands_one_per_attempt unique (action_id, attempt);
alter table commands add constraint commands_seq_unique unique (server_id, seq);
create unique index commands_one_at_a_time on commands (server_id) where state = any (array['handed_out'::text, 'running'::text]);
alter table commands add constraint commands_state_check check (state in ('handed_out', 'running', 'ended'));
create table slack_outbox (
  id bigserial primary key,
  kind text not null,
  action_id text,
  payload jsonb not null default '{}',
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  attempts int not null default 0,
  next_at timestamptz(3) not null default now(),
  sent_at timestamptz(3),
  last_error text
);
create index slack_outbox_due_index on slack_outbox (next_at, id) where sent_at is null;
create unique index slack_outbox_one_unsent on slack_outbox (action_id, kind) where sent_at is null and kind <> 'private';
alter table slack_outbox add constraint slack_outbox_kind_check check (kind in ('card', 'notice', 'private'));
alter table agent_keys add constraint agent_keys_server_id_foreign foreign key (server_id) references servers (id);
alter table actions add constraint actions_server_id_foreign foreign key (server_id) references servers (id);
alter table actions add constraint actions_alert_id_foreign foreign key (alert_id) references alerts (id) on delete set null;
alter table results add constraint results_action_id_foreign foreign key (action_id) references actions (id) on delete set null;
alter table decisions add constraint decisions_action_id_foreign foreign key (action_id) references actions (id);
alter table commands add constraint commands_action_id_foreign foreign key (action_id) references actions (id);
alter table commands add constraint commands_server_id_foreign foreign key (server_id) references servers (id);
alter table slack_outbox add constraint slack_outbox_action_id_foreign foreign key (action_id) references actions (id) on delete set null;
insert into audit_head (id, seq, hash) values (1, 0, 'sha256:' || repeat('0', 64));
`;

const DOWN = `
drop table slack_outbox, results, commands, decisions, actions, alerts, agent_keys, servers,
  enrollment_tokens, idempotency_keys, api_tokens, audit_head, audit_events;
`;

/** The tables, as the entities describe them. */
export class InitialMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
