/** JSON as it came over the wire; nothing is known about it until it is checked. */
export type Json = Record<string, unknown>;

export interface SlackPerson {
  id: string;
  name: string;
  real_name: string;
  is_bot?: boolean;
  deleted?: boolean;
  /** A guest of several channels. */
  is_restricted?: boolean;
  /** A guest of one channel. */
  is_ultra_restricted?: boolean;
  /** Another workspace's, met in a shared channel (Slack Connect). */
  team_id?: string;
  tz?: string;
}

/** A group of people that can be mentioned; only paid plans have them. */
export interface SlackUsergroup {
  id: string;
  handle: string;
  users: string[];
  isDisabled?: boolean;
}

/** Something a person starts from the composer (`global`) or from a message's menu (`message`). */
export interface SlackShortcut {
  type: 'global' | 'message';
  callbackId: string;
  name: string;
  description: string;
}

export interface StoredFile {
  id: string;
  name: string;
  title: string;
  size: number;
  text: string;
}

export interface SlackChannel {
  id: string;
  name: string;
  /** Set for a direct message: the person the bot talks to. */
  im_user?: string;
  /** False where nobody has invited the app. */
  is_member?: boolean;
  is_archived?: boolean;
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
  files?: Omit<StoredFile, 'text'>[];
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
  { id: 'U0MIA', name: 'mia', real_name: 'Mia Manager' },
  { id: 'U0GUS', name: 'gus', real_name: 'Gus Guest', is_restricted: true },
  { id: 'U0UMA', name: 'uma', real_name: 'Uma Single-Channel', is_ultra_restricted: true },
  { id: 'U0SAM', name: 'sam', real_name: 'Sam Stranger', team_id: 'T0OTHER' },
  { id: 'U0DEE', name: 'dee', real_name: 'Dee Gone', deleted: true },
  { id: 'U0ROB', name: 'rob', real_name: 'Rob Robot', is_bot: true },
];

export const DEFAULT_USERGROUPS: readonly SlackUsergroup[] = [
  { id: 'S0DBA', handle: 'dba', users: ['U0BOB'] },
  { id: 'S0OLD', handle: 'old', users: ['U0CID'], isDisabled: true },
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
