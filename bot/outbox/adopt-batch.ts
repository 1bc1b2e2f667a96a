import { readBatch, refreshBatchCard, saveBatchCard } from '../../services/slack/batches.ts';
import { createClosedBatch } from '../blocks/batch-card.ts';
import type { BotDeps } from '../deps.ts';
import { findPermalink } from './adopt-card.ts';

/** As `adoptCard` does for one action: a click carries the card it was made on. Never rejects. */
export async function adoptBatch(
  deps: BotDeps,
  found: { batchId: string; channel: string; ts: string },
): Promise<void> {
  try {
    const batch = await readBatch(deps.ctx, found.batchId);
    if (batch === null || (batch.slackTs === found.ts && batch.slackChannel === found.channel)) return;
    if (batch.slackTs === null) {
      await saveBatchCard(deps.ctx, { ...found, permalink: await findPermalink(deps, found) });
      await refreshBatchCard(deps.ctx, found.batchId);
      return;
    }
    await deps.client.chat.update({ channel: found.channel, ts: found.ts, ...createClosedBatch(batch) });
  } catch (error) {
    deps.log.warn({ err: error, batch_id: found.batchId }, 'a card could not be adopted');
  }
}
