import { Migration } from '@mikro-orm/migrations';

/*
 * An action is tried again in `executing`: `attempt` counts on, and `next_attempt_at` stands from the end of one attempt
 * until the agent holds the next. The guards say once more what services and activities decide: a next attempt follows
 * one that has ended, within the number fixed at the request, and only where nothing was started or a second run does
 * no harm; and no command is made for another attempt than the one that is owed.
 */
const UP = `
alter table actions add column retry jsonb;
alter table actions add column next_attempt_at timestamptz(3);
alter table actions add constraint actions_next_attempt_check check (next_attempt_at is null or status = 'executing');
create index actions_retry_index on actions (server_id, next_attempt_at) where status = 'executing' and next_attempt_at is not null;
alter table commands add column failure_code text;

create function medic_action_attempt() returns trigger language plpgsql as $$
begin
  if new.retry is distinct from old.retry then
    raise exception 'How often action % is tried was fixed when it was requested.', old.id
      using errcode = 'check_violation', constraint = 'action_request_fixed';
  end if;
  if new.attempt <> old.attempt and not (
    new.attempt = old.attempt + 1 and new.attempt <= coalesce((old.retry->>'attempts')::int, 1)
    and new.next_attempt_at is not null
    and exists (
      select 1 from commands c left join results r on r.command_id = c.id and not r.is_late
      where c.action_id = old.id and c.attempt = old.attempt and c.state = 'ended'
        and (coalesce((old.retry->>'isIdempotent')::boolean, false) or (c.started_at is null and r.started_at is null))
    )
  ) then
    raise exception 'Attempt % of action % may not follow attempt %.', new.attempt, old.id, old.attempt
      using errcode = 'check_violation', constraint = 'action_attempt';
  end if;
  return new;
end $$;
create trigger actions_attempt before update on actions for each row when (
  (old.attempt, old.retry) is distinct from (new.attempt, new.retry)
) execute function medic_action_attempt();

create function medic_command_attempt() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from actions where id = new.action_id and attempt = new.attempt
      and (status = 'approved' or next_attempt_at <= clock_timestamp())
  ) then
    raise exception 'Attempt % of action % is not owed now.', new.attempt, new.action_id
      using errcode = 'check_violation', constraint = 'command_attempt';
  end if;
  return new;
end $$;
create trigger commands_owed before insert on commands for each row execute function medic_command_attempt();
`;

const DOWN = `
drop trigger commands_owed on commands;
drop trigger actions_attempt on actions;
drop function medic_command_attempt();
drop function medic_action_attempt();
alter table commands drop column failure_code;
drop index actions_retry_index;
alter table actions drop constraint actions_next_attempt_check;
alter table actions drop column next_attempt_at, drop column retry;
`;

export class AttemptsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
