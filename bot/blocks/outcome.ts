import type { ActionView } from '../../services/actions/action-view.ts';
import { describeAction } from './card-states.ts';
import type { Message } from './message.ts';
import { linkTo } from './notice.ts';
import { MAX_SENTENCE, sentenceBlock, smallPrint } from './parts.ts';
import { escapeMrkdwn, toLine } from './text.ts';

/** What became of it, for whoever asked; privately, with the way to the card. */
export function createOutcome(action: ActionView): Message {
  const sentence = toLine(`You asked for this: ${describeEnd(action)}`, MAX_SENTENCE);
  const link = linkTo(action.slackPermalink);
  const blocks = link === null ? [sentenceBlock(sentence)] : [sentenceBlock(sentence), smallPrint([link])];
  return { text: escapeMrkdwn(sentence), blocks };
}

/** How it ended; of a rejection also why, which the card that many share has no room for. */
export function describeEnd(action: ActionView): string {
  const { status, rejectionReason } = action;
  const why = status === 'rejected' && rejectionReason !== null ? ` Because: “${rejectionReason}”` : '';
  return `${describeAction(action)}${why}`;
}
