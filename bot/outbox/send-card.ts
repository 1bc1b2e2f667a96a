import type { ActionView } from '../../services/actions/action-view.ts';
import { forgetCard, noteCardIntent, readCard, refreshCard, saveCard } from '../../services/slack/cards.ts';
import { createCard } from '../blocks/card.ts';
import { CARD_BLOCK, EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { findPermalink } from './adopt-card.ts';
import { findLostPost } from './find-lost-post.ts';
import { GONE, post } from './post.ts';
import type { Sender } from './sender.ts';

/** Brings the card to the state of the row, which is read here: edits it where it stands, posts it where it does not. */
export const sendCard: Sender = async (deps, entry) => {
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action === null) return;
  const place = await findPlace(deps, action);
  if (place === null) {
    await postCard(deps, action);
    return;
  }
  try {
    await deps.client.chat.update({ ...place, ...createCard(action) });
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !GONE.includes(failure.code)) throw error;
    await forgetCard(deps.ctx, action.id);
    await refreshCard(deps.ctx, action.id); // a post now, which waits its turn among posts
  }
};

/** Where the card stands; a post that was begun and never confirmed is looked for. */
async function findPlace(deps: BotDeps, action: ActionView): Promise<{ channel: string; ts: string } | null> {
  if (action.slackChannel === null) return null;
  if (action.slackTs !== null) return { channel: action.slackChannel, ts: action.slackTs };
  const channel = action.slackChannel;
  const lost = await findLostPost(deps, {
    channel,
    since: action.requestedAt,
    eventType: EVENT_TYPE,
    payload: { action_id: action.id },
    blockId: CARD_BLOCK,
  });
  if (lost.kind !== 'found') return null;
  const permalink = await findPermalink(deps, { channel, ts: lost.ts });
  await saveCard(deps.ctx, { actionId: action.id, channel, ts: lost.ts, permalink });
  return { channel, ts: lost.ts };
}

async function postCard(deps: BotDeps, action: ActionView): Promise<void> {
  await noteCardIntent(deps.ctx, { actionId: action.id, channel: deps.channel });
  const message = createCard(action);
  const ts = await post(deps, { channel: deps.channel, message, onRefused: () => forgetCard(deps.ctx, action.id) });
  const card = { actionId: action.id, channel: deps.channel, ts };
  await saveCard(deps.ctx, { ...card, permalink: null });
  const permalink = await findPermalink(deps, card);
  if (permalink !== null) await saveCard(deps.ctx, { ...card, permalink });
}
