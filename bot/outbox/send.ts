import type { ActionView } from '../../services/actions/action-view.ts';
import { forgetCard, noteCardIntent, readCard, saveCard } from '../../services/slack/cards.ts';
import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { forgetNoticeIntent, noteNoticeIntent } from '../../services/slack/outbox.ts';
import { createCard } from '../blocks/card.ts';
import { CARD_BLOCK, NOTICE_BLOCK } from '../blocks/names.ts';
import { createNotice } from '../blocks/notice.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { findPermalink } from './adopt-card.ts';
import { findLostPost } from './find-lost-post.ts';

/** Slack's codes for a message that nobody can edit any more. */
const GONE = ['message_not_found', 'cant_update_message', 'edit_window_closed', 'channel_not_found', 'is_archived'];

/**
 * Brings the card to the state of the row, which is read here: edits it where it stands, posts it where it does not.
 * Rejects with the error of the Web API; then nothing is settled.
 */
export async function sendCard(deps: BotDeps, actionId: string): Promise<void> {
  const action = await readCard(deps.ctx, actionId);
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
    await forgetCard(deps.ctx, actionId);
    await postCard(deps, action);
  }
}

/** Where the card stands; a post that was begun and never confirmed is looked for. */
async function findPlace(deps: BotDeps, action: ActionView): Promise<{ channel: string; ts: string } | null> {
  if (action.slackChannel === null) return null;
  if (action.slackTs !== null) return { channel: action.slackChannel, ts: action.slackTs };
  const channel = action.slackChannel;
  const lost = await findLostPost(deps, {
    channel,
    actionId: action.id,
    blockId: CARD_BLOCK,
    since: action.requestedAt,
  });
  if (lost.kind !== 'found') return null;
  const permalink = await findPermalink(deps, { channel, ts: lost.ts });
  await saveCard(deps.ctx, { actionId: action.id, channel, ts: lost.ts, permalink });
  return { channel, ts: lost.ts };
}

async function postCard(deps: BotDeps, action: ActionView): Promise<void> {
  await noteCardIntent(deps.ctx, { actionId: action.id, channel: deps.channel });
  const ts = await post(deps, createCard(action), () => forgetCard(deps.ctx, action.id));
  const card = { actionId: action.id, channel: deps.channel, ts };
  await saveCard(deps.ctx, { ...card, permalink: null });
  const permalink = await findPermalink(deps, card);
  if (permalink !== null) await saveCard(deps.ctx, { ...card, permalink });
}

/** The new message of a failure or an expiry: once, with the link to the card. */
export async function sendNotice(deps: BotDeps, entry: OutboxEntry): Promise<void> {
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action === null) return;
  if (entry.payload['begun'] === true) {
    const since = action.completedAt ?? action.requestedAt;
    const search = { channel: deps.channel, actionId: action.id, blockId: NOTICE_BLOCK, since };
    if ((await findLostPost(deps, search)).kind === 'found') return;
  }
  await noteNoticeIntent(deps.ctx, entry);
  await post(deps, createNotice(action), () => forgetNoticeIntent(deps.ctx, entry));
}

/** A refusal is certain: nothing stands in the channel, so the intent is taken back. */
async function post(
  deps: BotDeps,
  message: ReturnType<typeof createCard>,
  onRefused: () => Promise<void>,
): Promise<string> {
  try {
    const { ts } = await deps.client.chat.postMessage({ channel: deps.channel, ...message, unfurl_links: false });
    if (ts === undefined) throw new Error('chat.postMessage told no ts.');
    return ts;
  } catch (error) {
    if (readSlackFailure(error).kind !== 'unknown') await onRefused();
    throw error;
  }
}
