import type { Button, KnownBlock } from '@slack/types';
import { isEnded } from '../../domain/lifecycle.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { argvBlock, requestFacts, storyFacts, timesBlock } from './facts.ts';
import type { ActionMessage } from './message.ts';
import { metadataOf } from './message.ts';
import { BUTTONS, CARD_BLOCK } from './names.ts';
import { button, MAX_SENTENCE, sentenceBlock } from './parts.ts';
import { describeAction } from './sentences.ts';
import { escapeMrkdwn, toLine } from './text.ts';

/** The one message of an action in the channel, as the action stands now. Buttons only while they can work. */
export function createCard(action: ActionView): ActionMessage {
  const sentence = toLine(describeAction(action), MAX_SENTENCE);
  const story = storyFacts(action);
  const details = button({ actionId: BUTTONS.details, label: 'Details', value: action.id });
  const first = isEnded(action.status)
    ? sentenceBlock(sentence, { blockId: CARD_BLOCK, accessory: details })
    : sentenceBlock(sentence, { blockId: CARD_BLOCK });
  const blocks: KnownBlock[] = [first, requestFacts(action), argvBlock(action)];
  if (story !== null) blocks.push(story);
  blocks.push(timesBlock(action));
  if (!isEnded(action.status)) blocks.push({ type: 'actions', elements: [...decisionButtons(action), details] });
  return { text: escapeMrkdwn(sentence), blocks, metadata: metadataOf(action) };
}

function decisionButtons(action: ActionView): Button[] {
  const value = action.id;
  const cancel = button({ actionId: BUTTONS.cancel, label: 'Cancel this action', value });
  if (action.status !== 'pending') return action.cancelRequestedAt === null ? [cancel] : [];
  if (action.approvalsRequired === 0) return [cancel];
  return [
    button({ actionId: BUTTONS.approve, label: 'Approve', value, style: 'primary' }),
    button({ actionId: BUTTONS.reject, label: 'Reject', value, style: 'danger' }),
    cancel,
  ];
}

/** In place of a second message of the same action; without buttons. */
export function createClosedDuplicate(action: ActionView): ActionMessage {
  const sentence = toLine(
    `This message was replaced: the card of ${action.playbook} on ${action.server} stands elsewhere.`,
    MAX_SENTENCE,
  );
  return { text: escapeMrkdwn(sentence), blocks: [sentenceBlock(sentence)], metadata: metadataOf(action) };
}
