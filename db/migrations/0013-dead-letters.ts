import { Migration } from '@mikro-orm/migrations';

/*
 * What was given up on is a dead letter until somebody replays or dismisses it. What ended before this is none: nobody
 * was told to look there. One dead letter is replayed at most once, whoever clicks at the same time.
 */
const UP = `
alter table actions add column dead_letter text;
alter table actions add column dismissed_by text;
alter table actions add column dismissed_at timestamptz(3);
alter table actions add column dismiss_reason text;
alter table actions add column replay_of text;
alter table actions add column replay_changed boolean not null default false;
alter table actions add constraint actions_replay_of_unique unique (replay_of);
alter table actions add constraint actions_dead_letter_check check (dead_letter is null or dead_letter in ('open', 'replayed', 'dismissed'));
create index actions_dead_letter_index on actions (requested_at, id) where dead_letter = 'open';
`;

const DOWN = `
drop index actions_dead_letter_index;
alter table actions drop constraint actions_dead_letter_check;
alter table actions drop constraint actions_replay_of_unique;
alter table actions drop column replay_changed, drop column replay_of, drop column dismiss_reason,
  drop column dismissed_at, drop column dismissed_by, drop column dead_letter;
`;

export class DeadLettersMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
