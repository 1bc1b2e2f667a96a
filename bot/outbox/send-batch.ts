import type { BatchView } from '../../services/slack/batches.ts';
import {
  forgetBatchCard,
  noteBatchIntent,
  readBatch,
  refreshBatchCard,
  saveBatchCard,
} from '../../services/slack/batches.ts';
import { createBatchCard } from '../blocks/batch-card.ts';
import { BATCH_BLOCK, BATCH_EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { findPermalink } from './adopt-card.ts';
import { findLostPost } from './find-lost-post.ts';
import { GONE, post } from './post.ts';
import type { Sender } from './sender.ts';

/** Brings the card of a batch to the state of its actions, as `sendCard` does for one action. */
export const sendBatch: Sender = async (deps, entry) => {
  const batch = entry.batch_id === null ? null : await readBatch(deps.ctx, entry.batch_id);
  if (batch === null) return;
  const place = await findPlace(deps, batch);
  if (place === null) {
    await postBatch(deps, batch);
    return;
  }
  try {
    await deps.client.chat.update({ ...place, ...createBatchCard(batch) });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !GONE.includes(failure.code)) throw error;
    await forgetBatchCard(deps.ctx, batch.id);
    await refreshBatchCard(deps.ctx, batch.id); // a post now, which waits its turn among posts
  }
};

async function findPlace(deps: BotDeps, batch: BatchView): Promise<{ channel: string; ts: string } | null> {
  const { slackChannel: channel, slackTs: ts } = batch;
  if (channel === null) return null;
  if (ts !== null) return { channel, ts };
  const lost = await findLostPost(deps, {
    channel,
    since: batch.createdAt,
    eventType: BATCH_EVENT_TYPE,
    payload: { batch_id: batch.id },
    blockId: BATCH_BLOCK,
  });
  if (lost.kind !== 'found') return null;
  const permalink = await findPermalink(deps, { channel, ts: lost.ts });
  await saveBatchCard(deps.ctx, { batchId: batch.id, channel, ts: lost.ts, permalink });
  return { channel, ts: lost.ts };
}

async function postBatch(deps: BotDeps, batch: BatchView): Promise<void> {
  const { channel } = deps;
  await noteBatchIntent(deps.ctx, { batchId: batch.id, channel });
  const message = createBatchCard(batch);
  const ts = await post(deps, { channel, message, onRefused: () => forgetBatchCard(deps.ctx, batch.id) });
  await saveBatchCard(deps.ctx, { batchId: batch.id, channel, ts, permalink: null });
  const permalink = await findPermalink(deps, { channel, ts });
  if (permalink !== null) await saveBatchCard(deps.ctx, { batchId: batch.id, channel, ts, permalink });
}
