import type { Generated } from 'kysely';
import type { HaltScope } from '../domain/halt.ts';
import type { TimeOrNull, TimeWithDefault } from './column-types.ts';

/* What people, or failures, have brought to a stand; part of Tables in tables.ts. */

export interface HaltsTable {
  id: Generated<number>;
  scope: HaltScope;
  value: string | null;
  reason: string;
  declared_by: string;
  declared_via: string;
  declared_at: TimeWithDefault;
  until: TimeOrNull;
  lifted_by: string | null;
  lifted_via: string | null;
  lifted_at: TimeOrNull;
  lift_reason: string | null;
  voided: Generated<number>;
  cards_due: Generated<boolean>;
  request_key: string | null;
}

export interface HoldBacksTable {
  server_id: string;
  playbook: string;
  action_id: string;
  failures: number;
  since: TimeWithDefault;
}
