import type { Json } from '../model.ts';
import type { Store } from '../store.ts';
import type { Triggers } from '../delivery/triggers.ts';

export interface MethodContext {
  store: Store;
  triggers: Triggers;
  args: Json;
  /** Opens a Socket Mode ticket; the URL is good for one connection. */
  socketUrl: () => string;
}

export interface Method {
  /** One of these must be granted. Empty: none needed. */
  scopes: readonly string[];
  /** Calls a minute by Slack's tiers. */
  perMinute: number;
  /** The app-level token instead of the bot's. */
  appToken?: boolean;
  run: (context: MethodContext) => Json;
}

export const TIER_2 = 20;
export const TIER_3 = 50;
export const TIER_4 = 100;
