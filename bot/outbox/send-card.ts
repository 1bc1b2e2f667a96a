import type { BotDeps } from '../deps.ts';
import { findPermalink } from '../find-permalink.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import type { CardMessage } from './card-message.ts';
import { readActionCard, readBatchCard } from './card-message.ts';
import { findLostPost } from './find-lost-post.ts';
import { GONE, post } from './post.ts';
import type { Sender } from './sender.ts';

export const sendCard: Sender = async (deps, entry) => {
  const card = entry.action_id === null ? null : await readActionCard(deps, entry.action_id);
  if (card !== null) await bringUpToDate(deps, card);
};

export const sendBatch: Sender = async (deps, entry) => {
  const card = entry.batch_id === null ? null : await readBatchCard(deps, entry.batch_id);
  if (card !== null) await bringUpToDate(deps, card);
};

/** Edits the card where it stands, posts it where it does not. */
async function bringUpToDate(deps: BotDeps, card: CardMessage): Promise<void> {
  const place = await findPlace(deps, card);
  if (place === null) {
    await postCard(deps, card);
    return;
  }
  try {
    await deps.client.chat.update({ ...place, ...card.content });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !GONE.includes(failure.code)) throw error;
    await card.forget();
    await card.refresh(); // a post now, which waits its turn among posts
  }
}

/** Where the card stands; a post that was begun and never confirmed is looked for. */
async function findPlace(deps: BotDeps, card: CardMessage): Promise<{ channel: string; ts: string } | null> {
  const { channel, ts } = card;
  if (channel === null) return null;
  if (ts !== null) return { channel, ts };
  const lost = await findLostPost(deps, { channel, ...card.search });
  if (lost.kind !== 'found') return null;
  const place = { channel, ts: lost.ts };
  await card.save({ ...place, permalink: await findPermalink(deps, place) });
  return place;
}

async function postCard(deps: BotDeps, card: CardMessage): Promise<void> {
  const { channel } = deps;
  await card.noteIntent(channel);
  const ts = await post(deps, { channel, message: card.content, onRefused: () => card.forget() });
  await card.save({ channel, ts, permalink: null });
  const permalink = await findPermalink(deps, { channel, ts });
  if (permalink !== null) await card.save({ channel, ts, permalink });
}
