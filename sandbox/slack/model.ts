/** JSON as it came over the wire; nothing is known about it until it is checked. */
export type Json = Record<string, unknown>;

export interface SlackPerson {
  id: string;
  name: string;
  real_name: string;
  is_bot?: boolean;
  deleted?: boolean;
  is_restricted?: boolean;
  team_id?: string;
  tz?: string;
}

export interface SlackChannel {
  id: string;
  name: string;
  /** Set for a direct message: the person the bot talks to. */
  im_user?: string;
}

export interface StoredMessage {
  channel: string;
  ts: string;
  user: string;
  bot_id?: string;
  text: string;
  blocks?: Json[];
  metadata?: Json;
  thread_ts?: string;
  edited?: { user: string; ts: string };
  /** How many times it was edited. */
  edits: number;
  /** Only this person sees it. */
  ephemeral_to?: string;
  permalink: string;
}

export interface StoredView {
  id: string;
  type: 'modal' | 'home';
  user: string;
  hash: string;
  callback_id: string;
  external_id: string;
  private_metadata: string;
  root_view_id: string;
  previous_view_id: string | null;
  title?: Json;
  submit?: Json | null;
  close?: Json | null;
  blocks: Json[];
  clear_on_close: boolean;
  notify_on_close: boolean;
  /** What the person entered in a home tab or modal and the app was told with an action. */
  values: Record<string, Record<string, Json>>;
}

export interface RecordedCall {
  method: string;
  args: Json;
  token: string;
  /** Milliseconds since the epoch. */
  at: number;
  status: number;
  answer: Json;
}

export interface DeliveryOutcome {
  /** The app answered within three seconds. */
  acknowledged: boolean;
  ms: number;
  /** What the app answered. */
  body: unknown;
  /** What Slack shows the person instead: `operation_timeout`, `dispatch_failed`, … */
  error?: 'operation_timeout' | 'dispatch_failed' | (string & {});
  envelopeId?: string;
}

export interface SidePanelItem {
  id: string;
  title: string;
  lines: string[];
  healthy: boolean;
  buttons: { verb: string; label: string }[];
}

/** What stands beside the workspace in the page, e.g. servers to try things on. `act` may reject; its message is shown. */
export interface SidePanel {
  items(): Promise<SidePanelItem[]>;
  act(id: string, verb: string): Promise<void>;
}

export const TEAM_ID = 'T0MEDIC';
export const APP_ID = 'A0MEDIC';
export const BOT_ID = 'B0MEDIC';
export const BOT_USER_ID = 'U0MEDICBOT';

export const DEFAULT_PEOPLE: readonly SlackPerson[] = [
  { id: 'U0ANA', name: 'ana', real_name: 'Ana Operator' },
  { id: 'U0BOB', name: 'bob', real_name: 'Bob Approver' },
  { id: 'U0CID', name: 'cid', real_name: 'Cid Approver' },
  { id: 'U0EVE', name: 'eve', real_name: 'Eve Visitor' },
];

export const DEFAULT_CHANNELS: readonly SlackChannel[] = [{ id: 'C0MEDIC', name: 'medic-ops' }];

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The objects in what should be a list of objects; anything else counts as none. */
export function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}
