/// <reference lib="dom" />
import type {
  DeliveryOutcome,
  Json,
  SidePanelItem,
  SlackChannel,
  SlackPerson,
  SlackShortcut,
  StoredMessage,
  StoredView,
} from '../model.ts';

export interface PageState {
  people: SlackPerson[];
  bot: string;
  channels: SlackChannel[];
  messages: StoredMessage[];
  views: StoredView[];
  side_items: SidePanelItem[];
  completions: { command: string; hint: string }[];
  connected: boolean;
  shortcuts: SlackShortcut[];
  /** The first lines of each file that stands in a message. */
  previews: Record<string, string>;
}

export type Act = (input: Json) => Promise<DeliveryOutcome>;

export async function fetchState(user: string): Promise<PageState> {
  const response = await fetch(`/page/state?user=${encodeURIComponent(user)}`);
  return (await response.json()) as PageState;
}

/** Does something as a person. Never rejects: what went wrong stands in `error`. */
export async function perform(input: Json): Promise<DeliveryOutcome> {
  try {
    const response = await fetch('/page/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
    return (await response.json()) as DeliveryOutcome;
  } catch {
    return { acknowledged: false, ms: 0, body: '', error: 'sandbox_unreachable' };
  }
}

/** Calls back at once and after every change, also after the sandbox was restarted. */
export function watch(onChange: () => void): () => void {
  const source = new EventSource('/page/stream');
  source.onmessage = onChange;
  return () => {
    source.close();
  };
}
