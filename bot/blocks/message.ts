import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { EVENT_TYPE } from './names.ts';

/** All that a message carries. `text` is what notifications and screen readers get. */
export interface Message {
  text: string;
  blocks: KnownBlock[];
}

/** A message in the channel that is about no single action; its metadata tells it from all others. */
export interface News extends Message {
  metadata: { event_type: string; event_payload: Record<string, string | number> };
}

export interface ActionMessage extends Message {
  metadata: { event_type: string; event_payload: { action_id: string; status: string } };
}

export function metadataOf(action: Pick<ActionView, 'id' | 'status'>): ActionMessage['metadata'] {
  return { event_type: EVENT_TYPE, event_payload: { action_id: action.id, status: action.status } };
}
