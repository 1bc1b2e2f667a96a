import { Migration } from '@mikro-orm/migrations';

/*
 * The sets of keys whose commands agents accept, each vouched for by a key of the set before: `jws` is what agents are
 * given, `serial` counts without a gap, and nothing of it is ever changed. And a server's agent may have a next key beside
 * the one in use, until it first calls with it; `enrolled_at` is when its enrolment began, whatever key it has by now.
 */
const UP = `
create table command_key_sets (
  serial int not null,
  keys jsonb not null,
  jws text not null,
  made_at timestamptz(3) not null default now(),
  primary key (serial)
);
create function medic_command_keys_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'The sets of command keys only grow: % is refused.', tg_op
    using errcode = 'check_violation', constraint = 'command_key_sets_append_only';
end $$;
create trigger command_key_sets_keep before update or delete on command_key_sets
  for each row execute function medic_command_keys_refuse();
create trigger command_key_sets_keep_all before truncate on command_key_sets
  for each statement execute function medic_command_keys_refuse();

alter table agent_keys add column enrolled_at timestamptz(3) not null default now();
update agent_keys set enrolled_at = created_at;
alter table agent_keys add column is_next boolean not null default false;
drop index agent_keys_one_in_use;
create unique index agent_keys_one_in_use on agent_keys (server_id) where revoked_at is null and not is_next;
create unique index agent_keys_one_next on agent_keys (server_id) where revoked_at is null and is_next;
`;

/** Agents that took a next key into use meanwhile keep it; those that were about to go on with the one in use. */
const DOWN = `
drop index agent_keys_one_next;
drop index agent_keys_one_in_use;
delete from agent_keys where is_next;
alter table agent_keys drop column is_next, drop column enrolled_at;
create unique index agent_keys_one_in_use on agent_keys (server_id) where revoked_at is null;
drop table command_key_sets;
drop function medic_command_keys_refuse();
`;

export class KeyChangesMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
