import { InitialMigration } from './0001-initial.ts';
import { AuditGuardsMigration } from './0002-audit-guards.ts';
import { LifecycleGuardsMigration } from './0003-lifecycle-guards.ts';
import { SlackBatchesMigration } from './0004-slack-batches.ts';
import { ApprovalsMigration } from './0005-approvals.ts';
import { WaitingMigration } from './0006-waiting.ts';
import { HomesMigration } from './0007-homes.ts';

/** All migrations, oldest first. Listed here and not found by a look at the folder, so that it works from anywhere. */
export const MIGRATIONS = [
  { name: '0001-initial', class: InitialMigration },
  { name: '0002-audit-guards', class: AuditGuardsMigration },
  { name: '0003-lifecycle-guards', class: LifecycleGuardsMigration },
  { name: '0004-slack-batches', class: SlackBatchesMigration },
  { name: '0005-approvals', class: ApprovalsMigration },
  { name: '0006-waiting', class: WaitingMigration },
  { name: '0007-homes', class: HomesMigration },
];
