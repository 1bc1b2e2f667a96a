import type { ActionView } from '../../services/actions/action-view.ts';
import { readBatchOf } from '../../services/slack/batches.ts';
import { readCard } from '../../services/slack/cards.ts';
import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { forgetIntent, noteIntent } from '../../services/slack/outbox.ts';
import { createBatchNotice } from '../blocks/batch-notice.ts';
import { BATCH_EVENT_TYPE, BATCH_NOTICE_BLOCK, EVENT_TYPE } from '../blocks/names.ts';
import { createNotice, noticeBlockId, readNoticeKind } from '../blocks/notice.ts';
import type { BotDeps } from '../deps.ts';
import { findLostPost } from './find-lost-post.ts';
import { post } from './post.ts';
import { sendAuditLine } from './send-audit-line.ts';
import type { Sender } from './sender.ts';

/**
 * The new message of a failure, an expiry or a break-glass: once, with the link to the card. Many of one batch are one
 * message. The daily line on the audit log belongs to no action.
 */
export const sendNotice: Sender = async (deps, entry, companions) => {
  if (entry.payload['audit'] !== undefined) return sendAuditLine(deps, entry);
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action === null) return;
  if (companions.length > 0 || entry.payload['group'] !== undefined) {
    await sendMerged(deps, action, [entry, ...companions]);
    return;
  }
  const { channel } = deps;
  const kind = readNoticeKind(entry.payload);
  if (entry.payload['begun'] === true) {
    const since = action.completedAt ?? action.requestedAt;
    const payload = kind === 'end' ? { action_id: action.id, status: action.status } : { action_id: action.id };
    const search = { channel, since, eventType: EVENT_TYPE, payload, blockId: noticeBlockId(kind) };
    if ((await findLostPost(deps, search)).kind === 'found') return;
  }
  await noteIntent(deps.ctx, entry);
  await post(deps, { channel, message: createNotice(action, kind), onRefused: () => forgetIntent(deps.ctx, entry) });
};

/** What begins together bears the number of its first, in the outbox and in the message: so it is found together. */
async function sendMerged(deps: BotDeps, first: ActionView, entries: readonly OutboxEntry[]): Promise<void> {
  const ids = new Set(entries.map(({ action_id: id }) => id));
  const batch = await readBatchOf(deps.ctx, first.id);
  if (batch === null) return;
  const { channel } = deps;
  const group = Number(entries[0]?.payload['group'] ?? entries[0]?.id);
  if (entries[0]?.payload['begun'] === true) {
    const since = first.completedAt ?? first.requestedAt;
    const payload = { batch_id: batch.id, entry_id: group };
    const search = { channel, since, eventType: BATCH_EVENT_TYPE, payload, blockId: BATCH_NOTICE_BLOCK };
    if ((await findLostPost(deps, search)).kind === 'found') return;
  }
  for (const entry of entries) await noteIntent(deps.ctx, entry, { group });
  const actions = batch.actions.filter(({ id }) => ids.has(id));
  const onRefused = async (): Promise<void> => {
    for (const entry of entries) await forgetIntent(deps.ctx, entry);
  };
  await post(deps, { channel, message: createBatchNotice({ batch, actions, entryId: group }), onRefused });
}
