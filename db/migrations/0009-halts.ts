import { Migration } from '@mikro-orm/migrations';

/*
 * Halts, and the gate that makes each come wholly before a signature or wholly after it: whoever starts something holds
 * the gate shared from medic_standing_halts() to its commit, whoever declares or lifts holds it alone. It is an advisory
 * lock, as a row that every heartbeat locks would be written by each. A process that falls asleep in such a transaction
 * loses it, so that nothing can hold up a halt for longer.
 *
 * What a halt covers never changes and a lifted one never stands again. No command is inserted under one that stands,
 * whatever the application says.
 */
const UP = `
create table halts (
  id bigserial primary key,
  scope text not null,
  value text,
  reason text not null,
  declared_by text not null,
  declared_via text not null,
  declared_at timestamptz(3) not null default now(),
  until timestamptz(3),
  lifted_by text,
  lifted_via text,
  lifted_at timestamptz(3),
  lift_reason text,
  voided int not null default 0,
  cards_due boolean not null default true
);
alter table halts add constraint halts_scope_check check (scope in ('all', 'tag', 'playbook') and (scope = 'all') = (value is null));
alter table halts add constraint halts_lifted_check check ((lifted_at is null) = (lifted_by is null));
create index halts_standing_index on halts (id) where lifted_at is null;
create index halts_cards_index on halts (id) where cards_due;

create function medic_standing_halts() returns setof halts language plpgsql volatile as $$
begin
  perform set_config('idle_in_transaction_session_timeout', '5000', true);
  perform pg_advisory_xact_lock_shared(hashtextextended('medic:halt', 0));
  return query select * from halts where lifted_at is null order by id;
end $$;

create function medic_halt_fixed() returns trigger language plpgsql as $$
begin
  raise exception 'Halt % was declared as it is, and one that was lifted stays lifted.', old.id
    using errcode = 'check_violation', constraint = 'halt_fixed';
end $$;
create trigger halts_fixed before update on halts for each row when (
  (old.id, old.scope, old.value, old.reason, old.declared_by, old.declared_at, old.until)
  is distinct from (new.id, new.scope, new.value, new.reason, new.declared_by, new.declared_at, new.until)
  or (old.lifted_at is not null and (old.lifted_by, old.lifted_at) is distinct from (new.lifted_by, new.lifted_at))
) execute function medic_halt_fixed();
create trigger halts_keep before delete on halts for each row execute function medic_halt_fixed();

create function medic_command_halted() returns trigger language plpgsql as $$
begin
  if exists (
    select 1 from medic_standing_halts() halt, actions, servers
    where actions.id = new.action_id and servers.id = new.server_id and (
      halt.scope = 'all'
      or (halt.scope = 'tag' and halt.value = any(servers.tags))
      or (halt.scope = 'playbook' and halt.value = actions.playbook)
    )
  ) then
    raise exception 'Command % would start what a halt forbids.', new.id
      using errcode = 'check_violation', constraint = 'command_halted';
  end if;
  return new;
end $$;
create trigger commands_halted before insert on commands for each row execute function medic_command_halted();

alter table slack_outbox drop constraint slack_outbox_kind_check;
alter table slack_outbox add constraint slack_outbox_kind_check
  check (kind in ('card', 'notice', 'private', 'batch', 'output', 'reminder', 'announcement'));
`;

const DOWN = `
delete from slack_outbox where kind = 'announcement';
alter table slack_outbox drop constraint slack_outbox_kind_check;
alter table slack_outbox add constraint slack_outbox_kind_check
  check (kind in ('card', 'notice', 'private', 'batch', 'output', 'reminder'));
drop trigger commands_halted on commands;
drop function medic_command_halted();
drop function medic_standing_halts();
drop table halts;
drop function medic_halt_fixed();
`;

export class HaltsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
