import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { EVENT_TYPE } from './names.ts';

/** All that a message carries. `text` is what notifications and screen readers get. */
export interface Message {
  text: string;
  blocks: KnownBlock[];
}

export interface ActionMessage extends Message {
  metadata: { event_type: string; event_payload: { action_id: string; status: string } };
}

export function metadataOf(action: Pick<ActionView, 'id' | 'status'>): ActionMessage['metadata'] {
  return { event_type: EVENT_TYPE, event_payload: { action_id: action.id, status: action.status } };
}
