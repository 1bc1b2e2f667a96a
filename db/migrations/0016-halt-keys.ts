import { Migration } from '@mikro-orm/migrations';

/* A halt that is asked for twice, as its first answer was lost, is declared once. */
const UP = `
alter table halts add column request_key text;
alter table halts add constraint halts_request_key_unique unique (request_key);
`;

const DOWN = `
alter table halts drop column request_key;
`;

export class HaltKeysMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
