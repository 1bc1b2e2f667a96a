import { InitialMigration } from './0001-initial.ts';
import { AuditGuardsMigration } from './0002-audit-guards.ts';
import { LifecycleGuardsMigration } from './0003-lifecycle-guards.ts';
import { SlackBatchesMigration } from './0004-slack-batches.ts';
import { ApprovalsMigration } from './0005-approvals.ts';
import { WaitingMigration } from './0006-waiting.ts';
import { HomesMigration } from './0007-homes.ts';
import { SlackSocketsMigration } from './0008-slack-sockets.ts';
import { HaltsMigration } from './0009-halts.ts';
import { LimitsMigration } from './0010-limits.ts';
import { CheckpointsMigration } from './0011-checkpoints.ts';
import { AttemptsMigration } from './0012-attempts.ts';
import { DeadLettersMigration } from './0013-dead-letters.ts';
import { KeyChangesMigration } from './0014-key-changes.ts';
import { HoldBacksMigration } from './0015-hold-backs.ts';
import { HaltKeysMigration } from './0016-halt-keys.ts';
import { UnknownShownMigration } from './0017-unknown-shown.ts';

/** All migrations, oldest first. Listed here and not found by a look at the folder, so that it works from anywhere. */
export const MIGRATIONS = [
  { name: '0001-initial', class: InitialMigration },
  { name: '0002-audit-guards', class: AuditGuardsMigration },
  { name: '0003-lifecycle-guards', class: LifecycleGuardsMigration },
  { name: '0004-slack-batches', class: SlackBatchesMigration },
  { name: '0005-approvals', class: ApprovalsMigration },
  { name: '0006-waiting', class: WaitingMigration },
  { name: '0007-homes', class: HomesMigration },
  { name: '0008-slack-sockets', class: SlackSocketsMigration },
  { name: '0009-halts', class: HaltsMigration },
  { name: '0010-limits', class: LimitsMigration },
  { name: '0011-checkpoints', class: CheckpointsMigration },
  { name: '0012-attempts', class: AttemptsMigration },
  { name: '0013-dead-letters', class: DeadLettersMigration },
  { name: '0014-key-changes', class: KeyChangesMigration },
  { name: '0015-hold-backs', class: HoldBacksMigration },
  { name: '0016-halt-keys', class: HaltKeysMigration },
  { name: '0017-unknown-shown', class: UnknownShownMigration },
];
