import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { ActionMessage } from './message.ts';
import { metadataOf } from './message.ts';
import { BUTTONS, NOTICE_BLOCK } from './names.ts';
import { button, factsBlock, MAX_SENTENCE, preformattedBlock, sentenceBlock, smallPrint } from './parts.ts';
import { describeAction } from './sentences.ts';
import { escapeMrkdwn, lastLines, toLine } from './text.ts';

const TAIL = { lines: 15, maxChars: 2_500 };

/** The new message in the channel when an action failed or expired. */
export function createNotice(action: ActionView): ActionMessage {
  const sentence = toLine(describeAction(action), MAX_SENTENCE);
  const accessory = button({ actionId: BUTTONS.details, label: 'Details', value: action.id });
  const approvers = action.approvals.map(({ by }) => by).join(', ') || (action.approvedBy ?? 'nobody');
  const blocks: KnownBlock[] = [
    sentenceBlock(sentence, { blockId: NOTICE_BLOCK, accessory }),
    factsBlock([
      ['Requested by', toLine(action.requestedBy, 120)],
      ['Approved by', toLine(approvers, 300)],
    ]),
  ];
  const output = tailOf(action);
  if (output !== null) blocks.push(preformattedBlock(output));
  const link = linkTo(action.slackPermalink);
  if (link !== null) blocks.push(smallPrint([link]));
  return { text: escapeMrkdwn(sentence), blocks, metadata: metadataOf(action) };
}

/** What went wrong is said on stderr by most; where nothing was, the end of stdout. */
function tailOf(action: ActionView): string | null {
  const isSilent = (action.stderr ?? '').trim() === '';
  const output = isSilent ? action.stdout : action.stderr;
  return output === null || output.trim() === '' ? null : lastLines(output, TAIL);
}

/** Slack's own address, checked all the same: nothing else may become a link. */
function linkTo(permalink: string | null): string | null {
  if (permalink === null || !/^https?:\/\/[^\s<>|]{1,500}$/.test(permalink)) return null;
  return `<${permalink}|Open the card>`;
}
