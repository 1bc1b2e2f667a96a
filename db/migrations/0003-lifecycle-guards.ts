import { Migration } from '@mikro-orm/migrations';

/*
 * "Ended means ended" watches `status` only: late results, permalinks and the null of a deleted alert still pass.
 * What an action is (who asked for what, and how many must approve) never changes, or the count below could be evaded.
 * A requester's own approval never counts.
 */
const ACTIONS_UP = `
create sequence actions_approved_seq as bigint owned by actions.approved_seq;
select setval('actions_approved_seq', coalesce((select max(approved_seq) from actions), 0) + 1, false);

create function medic_action_insert() returns trigger language plpgsql as $$
begin
  if new.status <> 'pending' then
    raise exception 'Action % cannot begin as %: every action begins as pending.', new.id, new.status
      using errcode = 'check_violation', constraint = 'action_begins_pending';
  end if;
  return new;
end $$;

create function medic_action_move() returns trigger language plpgsql as $$
begin
  if old.status in ('completed', 'failed', 'rejected', 'expired', 'cancelled') then
    raise exception 'Action % has ended as % and cannot become %.', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'action_ended';
  end if;
  if not (case old.status
    when 'pending' then new.status in ('approved', 'rejected', 'expired', 'cancelled')
    when 'approved' then new.status in ('executing', 'failed', 'expired', 'cancelled')
    when 'executing' then new.status in ('completed', 'failed', 'cancelled')
    else false end) then
    raise exception 'Action % cannot go from % to %.', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'action_transition';
  end if;
  if new.status = 'approved' then
    if new.approvals_required > (
      select count(distinct principal) from decisions
      where action_id = new.id and kind = 'approve' and status = 'applied' and principal <> new.requested_by
    ) then
      raise exception 'Action % needs % approvals and has fewer.', old.id, old.approvals_required
        using errcode = 'check_violation', constraint = 'action_approvals';
    end if;
    new.approved_seq := nextval('actions_approved_seq');
  end if;
  return new;
end $$;

create function medic_action_fixed() returns trigger language plpgsql as $$
begin
  raise exception 'What action % asks for was fixed when it was requested.', old.id
    using errcode = 'check_violation', constraint = 'action_request_fixed';
end $$;

create trigger actions_insert before insert on actions for each row execute function medic_action_insert();
create trigger actions_move before update on actions
  for each row when (old.status is distinct from new.status) execute function medic_action_move();
create trigger actions_fixed before update on actions for each row when (
  (old.id, old.server_id, old.playbook, old.playbook_digest, old.params, old.requested_by, old.approvals_required,
   old.approval_rule, old.timeout_s, old.dry_run)
  is distinct from
  (new.id, new.server_id, new.playbook, new.playbook_digest, new.params, new.requested_by, new.approvals_required,
   new.approval_rule, new.timeout_s, new.dry_run)
) execute function medic_action_fixed();
`;

const DECISIONS_UP = `
create function medic_decision_fixed() returns trigger language plpgsql as $$
begin
  raise exception 'Decision % was made and cannot be changed.', old.id
    using errcode = 'check_violation', constraint = 'decision_fixed';
end $$;

create trigger decisions_fixed before update on decisions for each row when (
  (old.id, old.action_id, old.kind, old.principal) is distinct from (new.id, new.action_id, new.kind, new.principal)
  or (old.status <> 'recorded' and old.status is distinct from new.status)
) execute function medic_decision_fixed();
create trigger decisions_keep before delete on decisions
  for each row when (old.status = 'applied') execute function medic_decision_fixed();

create function medic_command_insert() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from actions
    where id = new.action_id and server_id = new.server_id and status in ('approved', 'executing') for share
  ) then
    raise exception 'Command % is not for an approved action of server %.', new.id, new.server_id
      using errcode = 'check_violation', constraint = 'command_needs_approval';
  end if;
  return new;
end $$;

create trigger commands_insert before insert on commands for each row execute function medic_command_insert();
`;

const DOWN = `
drop trigger commands_insert on commands;
drop trigger decisions_keep on decisions;
drop trigger decisions_fixed on decisions;
drop trigger actions_fixed on actions;
drop trigger actions_move on actions;
drop trigger actions_insert on actions;
drop function medic_command_insert();
drop function medic_decision_fixed();
drop function medic_action_fixed();
drop function medic_action_move();
drop function medic_action_insert();
drop sequence actions_approved_seq;
`;

/** The lifecycle, held by the database itself. */
export class LifecycleGuardsMigration extends Migration {
  override up(): void {
    this.addSql(ACTIONS_UP);
    this.addSql(DECISIONS_UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
