import type { MessageMetadata } from '@slack/types';
import {
  forgetBatchCard,
  noteBatchIntent,
  readBatch,
  refreshBatchCard,
  saveBatchCard,
} from '../../services/slack/batches.ts';
import type { StandingMessage } from '../../services/slack/card-place.ts';
import { forgetCard, noteCardIntent, readCard, refreshCard, saveCard } from '../../services/slack/cards.ts';
import { createBatchCard, createClosedBatch } from '../blocks/batch-card.ts';
import { createCard, createClosedDuplicate } from '../blocks/card.ts';
import type { Message } from '../blocks/message.ts';
import { BATCH_BLOCK, BATCH_EVENT_TYPE, CARD_BLOCK, EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import type { WantedPost } from './find-lost-post.ts';

/** A message of which one stands in the channel, edited in place: the card of an action, or of a batch. */
export interface CardMessage {
  /** As the row has it (services/slack/card-place.ts). */
  channel: string | null;
  ts: string | null;
  /** How one is found whose post was never confirmed. */
  search: Omit<WantedPost, 'channel'>;
  /** As things stand in the row that was read. */
  content: Message & { metadata: MessageMetadata };
  /** For a second message of the same: it says that it was replaced. */
  closed: Message & { metadata: MessageMetadata };
  noteIntent(channel: string): Promise<void>;
  save(place: StandingMessage): Promise<void>;
  forget(): Promise<void>;
  /** Owes it anew: the next turn posts or edits. */
  refresh(): Promise<void>;
}

/** Null where there is no such action. */
export async function readActionCard(deps: BotDeps, actionId: string): Promise<CardMessage | null> {
  const { ctx } = deps;
  const action = await readCard(ctx, actionId);
  if (action === null) return null;
  return {
    channel: action.slackChannel,
    ts: action.slackTs,
    search: {
      since: action.requestedAt,
      eventType: EVENT_TYPE,
      payload: { action_id: actionId },
      blockId: CARD_BLOCK,
    },
    content: createCard(action),
    closed: createClosedDuplicate(action),
    noteIntent: (channel) => noteCardIntent(ctx, { actionId, channel }),
    save: (place) => saveCard(ctx, { actionId, ...place }),
    forget: () => forgetCard(ctx, actionId),
    refresh: () => refreshCard(ctx, actionId),
  };
}

/** Null where there is no such batch. */
export async function readBatchCard(deps: BotDeps, batchId: string): Promise<CardMessage | null> {
  const { ctx } = deps;
  const batch = await readBatch(ctx, batchId);
  if (batch === null) return null;
  return {
    channel: batch.slackChannel,
    ts: batch.slackTs,
    search: {
      since: batch.createdAt,
      eventType: BATCH_EVENT_TYPE,
      payload: { batch_id: batchId },
      blockId: BATCH_BLOCK,
    },
    content: createBatchCard(batch),
    closed: createClosedBatch(batch),
    noteIntent: (channel) => noteBatchIntent(ctx, { batchId, channel }),
    save: (place) => saveBatchCard(ctx, { batchId, ...place }),
    forget: () => forgetBatchCard(ctx, batchId),
    refresh: () => refreshBatchCard(ctx, batchId),
  };
}
