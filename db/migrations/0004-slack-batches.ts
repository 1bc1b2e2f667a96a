import { Migration } from '@mikro-orm/migrations';

/*
 * More kinds of messages, each merged with what is owed already by a key of its own; the pace of each way to Slack, kept
 * here so that several processes keep it together; and batches, one card for many requests of one playbook.
 */
const UP = `
create table action_batches (
  id text not null,
  playbook text not null,
  approvals_required int not null,
  rule text not null,
  created_at timestamptz(3) not null default now(),
  slack_channel text,
  slack_ts text,
  slack_permalink text,
  primary key (id)
);
create index action_batches_playbook_index on action_batches (playbook, created_at);
alter table actions add column batch_id text;
alter table actions add constraint actions_batch_id_foreign
  foreign key (batch_id) references action_batches (id) on delete set null;
create index actions_batch_index on actions (batch_id, requested_at, id);
create index actions_playbook_requested_index on actions (playbook, requested_at);

alter table slack_outbox add column batch_id text;
alter table slack_outbox add column merge_key text;
alter table slack_outbox add column leased_until timestamptz(3);
alter table slack_outbox add constraint slack_outbox_batch_id_foreign
  foreign key (batch_id) references action_batches (id) on delete set null;
update slack_outbox set merge_key = kind || ':' || action_id where sent_at is null and kind <> 'private';
drop index slack_outbox_one_unsent;
create unique index slack_outbox_one_unsent on slack_outbox (merge_key) where sent_at is null;
alter table slack_outbox drop constraint slack_outbox_kind_check;
alter table slack_outbox add constraint slack_outbox_kind_check
  check (kind in ('card', 'notice', 'private', 'batch', 'output', 'reminder'));

create table slack_lanes (
  name text not null,
  sent_ms jsonb not null default '[]',
  rests_until timestamptz(3),
  failures int not null default 0,
  primary key (name)
);
`;

/** An action of a batch gets a card of its own again; what only the newer schema can say is not sent. */
const DOWN = `
delete from slack_outbox where kind not in ('card', 'notice', 'private') or payload ? 'kind';
alter table slack_outbox drop constraint slack_outbox_kind_check;
alter table slack_outbox add constraint slack_outbox_kind_check check (kind in ('card', 'notice', 'private'));
drop index slack_outbox_one_unsent;
create unique index slack_outbox_one_unsent on slack_outbox (action_id, kind) where sent_at is null and kind <> 'private';
insert into slack_outbox (kind, action_id)
  select 'card', id from actions where batch_id is not null and status in ('pending', 'approved', 'executing')
  on conflict do nothing;
alter table slack_outbox drop column batch_id, drop column merge_key, drop column leased_until;
drop index actions_playbook_requested_index;
alter table actions drop column batch_id;
drop table slack_lanes;
drop table action_batches;
`;

/** A storm of requests is one card, and Slack's limits are kept by all processes together. */
export class SlackBatchesMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
