import { readCard } from '../../services/slack/cards.ts';
import { forgetIntent, noteIntent } from '../../services/slack/outbox.ts';
import { EVENT_TYPE, NOTICE_BLOCK } from '../blocks/names.ts';
import { createNotice } from '../blocks/notice.ts';
import { findLostPost } from './find-lost-post.ts';
import { post } from './post.ts';
import type { Sender } from './sender.ts';

/** The new message of a failure or an expiry: once, with the link to the card. */
export const sendNotice: Sender = async (deps, entry) => {
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action === null) return;
  const { channel } = deps;
  if (entry.payload['begun'] === true) {
    const since = action.completedAt ?? action.requestedAt;
    const payload = { action_id: action.id };
    const search = { channel, since, eventType: EVENT_TYPE, payload, blockId: NOTICE_BLOCK };
    if ((await findLostPost(deps, search)).kind === 'found') return;
  }
  await noteIntent(deps.ctx, entry);
  await post(deps, { channel, message: createNotice(action), onRefused: () => forgetIntent(deps.ctx, entry) });
};
