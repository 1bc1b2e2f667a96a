import { Migration } from '@mikro-orm/migrations';

/* What keeps the turn of an action from coming, and what is counted at every request. */
const UP = `
alter table actions add column held_by jsonb;
create index actions_requester_index on actions (requested_by, requested_at);
create index actions_waiting_index on actions (server_id) where status = any (array['pending'::text, 'approved'::text]);
`;

const DOWN = `
drop index actions_waiting_index;
drop index actions_requester_index;
alter table actions drop column held_by;
`;

export class LimitsMigration extends Migration {
  override up(): void {
    this.addSql(UP);
  }

  override down(): void {
    this.addSql(DOWN);
  }
}
