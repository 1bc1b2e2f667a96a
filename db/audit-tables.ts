import type { Time, TimeWithDefault } from './column-types.ts';

/* The audit log, and what is signed and told of it; part of Tables in tables.ts. */

export interface AuditEventsTable {
  seq: number;
  body: string;
  at: Time;
  actor: string;
  via: string;
  event: string;
  subject_type: string;
  subject_id: string;
}

export interface AuditHeadTable {
  id: number;
  seq: number;
  hash: string;
}

export interface CheckpointsTable {
  count: number;
  head: string;
  jws: string;
  signed_at: TimeWithDefault;
}

export interface AuditReportsTable {
  /** As `2026-01-31`. */
  day: string;
  count: number;
}
