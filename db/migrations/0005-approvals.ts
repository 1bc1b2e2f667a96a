import { Migration } from '@mikro-orm/migrations';

/*
 * An approval keeps the groups it stood for, so that "each of another group" can be judged again when it is applied,
 * and whether it broke the glass: then it alone is enough, never the requester's own. Where approvals must come from
 * different groups, fewer groups than approvals are never enough, whatever the application says.
 */
const UP = `
create table principal_totps (
  principal text not null,
  secret text not null,
  enrolled_at timestamptz(3) not null default now(),
  last_step bigint,
  failures int not null default 0,
  locked_until timestamptz(3),
  primary key (principal)
);
alter table decisions add column groups text[] not null default '{}';
alter table decisions add column break_glass boolean not null default false;
alter table decisions add constraint decisions_break_glass_check check (not break_glass or (kind = 'approve' and reason is not null));

create or replace function medic_action_move() returns trigger language plpgsql as $$
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
    if not exists (
      select 1 from decisions
      where action_id = new.id and kind = 'approve' and status = 'applied' and break_glass
        and principal <> new.requested_by
    ) and (new.approvals_required > (
      select count(distinct principal) from decisions
      where action_id = new.id and kind = 'approve' and status = 'applied' and principal <> new.requested_by
    ) or (new.approval_rule @> '{"distinctGroups": true}' and new.approvals_required > (
      select count(distinct spoken) from decisions, unnest(groups) as spoken
      where action_id = new.id and kind = 'approve' and status = 'applied' and principal <> new.requested_by
    ))) then
      raise exception 'Action % needs % approvals and has fewer.', old.id, old.approvals_required
        using errcode = 'check_violation', constraint = 'action_approvals';
    end if;
    new.approved_seq := nextval('actions_approved_seq');
  end if;
  return new;
end $$;

drop trigger decisions_fixed on decisions;
create trigger decisions_fixed before update on decisions for each row when (
  (old.id, old.action_id, old.kind, old.principal, old.groups, old.break_glass)
  is distinct from (new.id, new.action_id, new.kind, new.principal, new.groups, new.break_glass)
  or (old.status <> 'recorded' and old.status is distinct from new.status)
) execute function medic_decision_fixed();
`;

const DOWN = `
create or replace function medic_action_move() returns trigger language plpgsql as $$
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
drop trigger decisions_fixed on decisions;
create trigger decisions_fixed before update on decisions for each row when (
  (old.id, old.action_id, old.kind, old.principal) is distinct from (new.id, new.action_id, new.kind, new.principal)
  or (old.status <> 'recorded' and old.status is distinct from new.status)
) execute function medic_decision_fixed();
alter table decisions drop column break_glass, drop column groups;
drop table principal_totps;
`;

/** Quorum by groups, breaking the glass, and one-time codes. */
export class ApprovalsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
