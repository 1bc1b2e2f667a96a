import { Migration } from '@mikro-orm/migrations';

/*
 * How far the ladder of a waiting action has been climbed, and how far a running command has come. Older rows have no
 * ladder: nobody is told anything on their behalf that was not promised when they were requested.
 */
const UP = `
alter table actions add column escalation_step int not null default 0;
alter table actions add column next_escalation_at timestamptz(3);
create index actions_escalation_index on actions (next_escalation_at) where status = 'pending' and next_escalation_at is not null;
alter table commands add column step int not null default 0;
alter table commands add column steps int not null default 0;
`;

const DOWN = `
alter table commands drop column step, drop column steps;
alter table actions drop column escalation_step, drop column next_escalation_at;
`;

export class WaitingMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
