import type { Generated } from 'kysely';
import type { JsonWithDefault, TimeOrNull, TimeWithDefault } from './column-types.ts';
import type { OutboxKind } from './entities/slack-outbox-entry.entity.ts';

/* What Medic owes Slack and shows there; part of Tables in tables.ts. */

export interface ActionBatchesTable {
  id: string;
  playbook: string;
  approvals_required: number;
  rule: string;
  created_at: TimeWithDefault;
  slack_channel: string | null;
  slack_ts: string | null;
  slack_permalink: string | null;
}

export interface SlackOutboxTable {
  id: Generated<number>;
  kind: OutboxKind;
  action_id: string | null;
  batch_id: string | null;
  merge_key: string | null;
  payload: JsonWithDefault<Record<string, unknown>>;
  version: Generated<number>;
  created_at: TimeWithDefault;
  attempts: Generated<number>;
  next_at: TimeWithDefault;
  leased_until: TimeOrNull;
  sent_at: TimeOrNull;
  last_error: string | null;
}

export interface SlackLanesTable {
  name: string;
  sent_ms: JsonWithDefault<number[]>;
  rests_until: TimeOrNull;
  failures: Generated<number>;
}

export interface SlackHomesTable {
  slack_user_id: string;
  /** Not written any more; it stays for the version before this one, which writes it. */
  view_id: string | null;
  opened_at: TimeWithDefault;
  checked_at: TimeWithDefault;
  seen_seq: Generated<number>;
  digest: string | null;
}

export interface SlackSocketsTable {
  id: string;
  started_at: TimeWithDefault;
  seen_at: TimeWithDefault;
  is_connected: Generated<boolean>;
  connected_at: TimeOrNull;
}
