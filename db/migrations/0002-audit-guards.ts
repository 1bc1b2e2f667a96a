import { Migration } from '@mikro-orm/migrations';

/*
 * The database keeps the chain itself: an event is accepted only as the next of the head, and moves the head. So a
 * second writer, a forked process or a person with psql cannot fork it or leave a gap.
 */
const UP = `
create function medic_audit_append() returns trigger language plpgsql as $$
declare head record;
begin
  select seq, hash into head from audit_head where id = 1 for update;
  if new.seq <> head.seq + 1 or new.body::jsonb ->> 'prev' is distinct from head.hash
    or (new.body::jsonb ->> 'seq')::bigint is distinct from new.seq then
    raise exception 'Audit event % does not follow the head of the chain, %.', new.seq, head.seq
      using errcode = 'check_violation', constraint = 'audit_chain';
  end if;
  update audit_head set seq = new.seq, hash = new.body::jsonb ->> 'hash' where id = 1;
  return new;
end $$;

create function medic_audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'The audit log only grows: % on % is refused.', tg_op, tg_table_name
    using errcode = 'check_violation', constraint = 'audit_append_only';
end $$;

create trigger audit_events_append before insert on audit_events for each row execute function medic_audit_append();
create trigger audit_events_keep before update or delete on audit_events
  for each row execute function medic_audit_refuse();
create trigger audit_events_keep_all before truncate on audit_events
  for each statement execute function medic_audit_refuse();
create trigger audit_head_keep before delete or insert on audit_head for each row execute function medic_audit_refuse();
create trigger audit_head_keep_all before truncate on audit_head
  for each statement execute function medic_audit_refuse();
create trigger audit_head_move before update on audit_head
  for each row when (pg_trigger_depth() = 0) execute function medic_audit_refuse();
`;

const DOWN = `
drop trigger audit_head_move on audit_head;
drop trigger audit_head_keep_all on audit_head;
drop trigger audit_head_keep on audit_head;
drop trigger audit_events_keep_all on audit_events;
drop trigger audit_events_keep on audit_events;
drop trigger audit_events_append on audit_events;
drop function medic_audit_refuse();
drop function medic_audit_append();
`;

/** The audit log only grows, one link at a time. */
export class AuditGuardsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
