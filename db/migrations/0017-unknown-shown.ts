import { Migration } from '@mikro-orm/migrations';

/*
 * Whether the card of an action says that nobody knows what becomes of it, as nothing is heard of its agent: it is drawn
 * anew when that begins and when it ends.
 */
const UP = `
alter table commands add column unknown_shown boolean not null default false;
`;

const DOWN = `
alter table commands drop column unknown_shown;
`;

export class UnknownShownMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
