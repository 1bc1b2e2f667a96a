import type { BotDeps } from '../deps.ts';
import { findPermalink } from '../find-permalink.ts';
import type { CardMessage } from './card-message.ts';
import { readActionCard, readBatchCard } from './card-message.ts';

/** The message that was clicked, and whose card it is. */
export type FoundCard = { channel: string; ts: string } & ({ actionId: string } | { batchId: string });

/**
 * A click carries the card it was made on. Where we know none, this is the one whose post was never confirmed; where
 * we know another, this one is a duplicate and is closed. Never rejects: the click counts either way.
 */
export async function adoptCard(deps: BotDeps, found: FoundCard): Promise<void> {
  try {
    const card =
      'actionId' in found ? await readActionCard(deps, found.actionId) : await readBatchCard(deps, found.batchId);
    if (card !== null) await adopt(deps, card, { channel: found.channel, ts: found.ts });
  } catch (error) {
    const id = 'actionId' in found ? { action_id: found.actionId } : { batch_id: found.batchId };
    deps.log.warn({ err: error, ...id }, 'a card could not be adopted');
  }
}

async function adopt(deps: BotDeps, card: CardMessage, place: { channel: string; ts: string }): Promise<void> {
  if (card.ts === place.ts && card.channel === place.channel) return;
  if (card.ts === null) {
    await card.save({ ...place, permalink: await findPermalink(deps, place) });
    await card.refresh();
    return;
  }
  await deps.client.chat.update({ ...place, ...card.closed });
}
