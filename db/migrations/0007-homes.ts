import { Migration } from '@mikro-orm/migrations';

/* Which Home tabs are open to whom, so that each is drawn again when something of its person's changes. */
const UP = `
create table slack_homes (
  slack_user_id text not null,
  view_id text,
  opened_at timestamptz(3) not null default now(),
  checked_at timestamptz(3) not null default now(),
  seen_seq bigint not null default 0,
  digest text,
  primary key (slack_user_id)
);
create index slack_homes_checked_index on slack_homes (checked_at);
`;

/** Nothing of it is a record: each Home is drawn anew when it is opened. */
const DOWN = `
drop table slack_homes;
`;

export class HomesMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
