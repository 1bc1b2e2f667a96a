import { Migration } from '@mikro-orm/migrations';

/*
 * Signed statements of how long the log was and what its last hash was, and the days on which the channel was told. A
 * checkpoint is only taken of an event that stands there, one for each length, and never changed: so no two contradict.
 */
const UP = `
create table checkpoints (
  count bigint not null,
  head text not null,
  jws text not null,
  signed_at timestamptz(3) not null default now(),
  primary key (count)
);
create table audit_reports (
  day date not null,
  count bigint not null,
  primary key (day)
);

create function medic_checkpoint_append() returns trigger language plpgsql as $$
begin
  if not exists (select from audit_events where seq = new.count and body::jsonb ->> 'hash' = new.head) then
    raise exception 'A checkpoint of % events does not fit the audit log.', new.count
      using errcode = 'check_violation', constraint = 'checkpoint_fits';
  end if;
  return new;
end $$;

create trigger checkpoints_append before insert on checkpoints
  for each row execute function medic_checkpoint_append();
create trigger checkpoints_keep before update or delete on checkpoints
  for each row execute function medic_audit_refuse();
create trigger checkpoints_keep_all before truncate on checkpoints
  for each statement execute function medic_audit_refuse();
`;

/** What was signed can be signed again, of the log as it is then; the agents keep what they were given. */
const DOWN = `
drop table audit_reports;
drop table checkpoints;
drop function medic_checkpoint_append();
`;

export class CheckpointsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
