import type { KnownBlock, MessageMetadata } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { BatchView } from '../../services/slack/batches.ts';
import type { BatchMessage } from './batch-card.ts';
import { metadataOf } from './batch-card.ts';
import { describeAction } from './card-states.ts';
import { BATCH_NOTICE_BLOCK, shortId } from './names.ts';
import { linkTo } from './notice.ts';
import { listBlock, MAX_SENTENCE, sentenceBlock, smallPrint } from './parts.ts';
import { escapeMrkdwn, toLine } from './text.ts';

const MAX_ROW = 220; // 40 of them and the rest stay below about 13,200 characters

/** One new message for many failures and expiries of one batch. */
export function createBatchNotice(input: {
  batch: BatchView;
  actions: readonly ActionView[];
  entryId: number;
}): BatchMessage {
  const { batch, actions, entryId } = input;
  const sentence = toLine(describe(batch, actions), MAX_SENTENCE);
  const rows = actions.map((action) => toLine(`${describeAction(action)} (${shortId(action.id)})`, MAX_ROW));
  const blocks: KnownBlock[] = [sentenceBlock(sentence, { blockId: BATCH_NOTICE_BLOCK }), listBlock(rows)];
  const link = linkTo(actions[0]?.slackPermalink ?? null);
  if (link !== null) blocks.push(smallPrint([link]));
  const { event_type: type, event_payload: payload } = metadataOf({ ...batch, actions: [...actions] });
  const metadata: MessageMetadata = { event_type: type, event_payload: { ...payload, entry_id: entryId } };
  return { text: escapeMrkdwn(sentence), blocks, metadata };
}

/** `7 of 12 actions of restart-service did not succeed: 5 failed, 2 expired.` */
function describe(batch: BatchView, actions: readonly ActionView[]): string {
  const failed = actions.filter(({ status }) => status === 'failed').length;
  const counts = [
    [failed, 'failed'],
    [actions.length - failed, 'expired'],
  ] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return `${actions.length} of ${batch.actions.length} actions of ${batch.playbook} did not succeed: ${told.join(', ')}.`;
}
