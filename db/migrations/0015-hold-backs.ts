import { Migration } from '@mikro-orm/migrations';

/*
 * A playbook that keeps failing on a server is held back there: a row stands until somebody deals with the dead letter
 * that it names. After how many failures was fixed with each request; what was asked for before holds nothing back. And
 * the latest damage of a journal, so that whoever looks at a server sees it.
 */
const UP = `
create table hold_backs (
  server_id text not null,
  playbook text not null,
  action_id text not null,
  failures int not null,
  since timestamptz(3) not null default now(),
  primary key (server_id, playbook)
);
alter table hold_backs add constraint hold_backs_server_id_foreign foreign key (server_id) references servers (id);
alter table hold_backs add constraint hold_backs_action_id_foreign foreign key (action_id) references actions (id);
alter table actions add column hold_back_after int not null default 0;
create index actions_ends_index on actions (server_id, playbook, status, completed_at) where not dry_run;
alter table servers add column journal_damaged_at timestamptz(3);
alter table servers add column journal_damaged_lines int;
`;

const DOWN = `
alter table servers drop column journal_damaged_lines, drop column journal_damaged_at;
drop index actions_ends_index;
alter table actions drop column hold_back_after;
drop table hold_backs;
`;

export class HoldBacksMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
