import { Migration } from '@mikro-orm/migrations';

/* Which bot processes hold a socket to Slack, so that any process can say whether Slack reaches us. */
const UP = `
create table slack_sockets (
  id text not null,
  started_at timestamptz(3) not null default now(),
  seen_at timestamptz(3) not null default now(),
  is_connected boolean not null default false,
  connected_at timestamptz(3),
  primary key (id)
);
`;

/** Nothing of it is a record: each bot writes its row anew within seconds. */
const DOWN = `
drop table slack_sockets;
`;

export class SlackSocketsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
