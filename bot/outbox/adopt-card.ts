import { readCard, refreshCard, saveCard } from '../../services/slack/cards.ts';
import { createClosedDuplicate } from '../blocks/card.ts';
import type { BotDeps } from '../deps.ts';

/**
 * A click carries the card it was made on. Where we know none, this is the one whose post was never confirmed; where
 * we know another, this one is a duplicate and is closed. Never rejects: the click counts either way.
 */
export async function adoptCard(
  deps: BotDeps,
  found: { actionId: string; channel: string; ts: string },
): Promise<void> {
  try {
    const action = await readCard(deps.ctx, found.actionId);
    if (action === null || (action.slackTs === found.ts && action.slackChannel === found.channel)) return;
    if (action.slackTs === null) {
      await saveCard(deps.ctx, { ...found, permalink: await findPermalink(deps, found) });
      await refreshCard(deps.ctx, found.actionId);
      return;
    }
    await deps.client.chat.update({ channel: found.channel, ts: found.ts, ...createClosedDuplicate(action) });
  } catch (error) {
    deps.log.warn({ err: error, action_id: found.actionId }, 'a card could not be adopted');
  }
}

/** Null where Slack does not say: the card stands, only the link to it is missing. */
export async function findPermalink(
  deps: Pick<BotDeps, 'client'>,
  message: { channel: string; ts: string },
): Promise<string | null> {
  try {
    const { permalink } = await deps.client.chat.getPermalink({ channel: message.channel, message_ts: message.ts });
    return permalink ?? null;
  } catch {
    return null;
  }
}
