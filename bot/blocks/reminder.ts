import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { describeAction } from './card-states.ts';
import { MAX_REASON } from './facts.ts';
import type { Message } from './message.ts';
import { linkTo } from './notice.ts';
import { factsBlock, MAX_SENTENCE, sentenceBlock, smallPrint } from './parts.ts';
import { escapeMrkdwn, showTime, toLine } from './text.ts';

type Some<T> = readonly [T, ...T[]];

/**
 * In the thread of a card that still waits: how far it is, who is asked, and what happens when nobody decides. Several
 * stand on one card: they have playbook and rule in common, and the oldest is told.
 */
export function createReminder(actions: Some<ActionView>): Message {
  const [first] = actions;
  const words = actions.length === 1 ? describeAction(first) : `${actions.length} of these actions wait for approval.`;
  return createWaiting(first, { sentence: `Still waiting: ${words}`, link: null });
}

/** To one person who may decide; the way to the card, where the buttons are. */
export function createAsk(action: ActionView): Message {
  const sentence = `You may decide this: ${describeAction(action)}`;
  return createWaiting(action, { sentence, link: linkTo(action.slackPermalink) });
}

function createWaiting(action: ActionView, words: { sentence: string; link: string | null }): Message {
  const sentence = toLine(words.sentence, MAX_SENTENCE);
  const groups = action.approvalFrom?.join(' or ') ?? 'everyone with the role approver';
  const facts = factsBlock([
    ['Reason', action.reason === null ? 'none given' : toLine(action.reason, MAX_REASON)],
    ['Rule', toLine(action.approvalRule || 'none', MAX_REASON)],
    ['May decide', toLine(groups, MAX_REASON)],
  ]);
  const blocks: KnownBlock[] = [sentenceBlock(sentence), facts];
  const prints = [...describeDeadline(action), ...(words.link === null ? [] : [words.link])];
  if (prints.length > 0) blocks.push(smallPrint(prints));
  return { text: escapeMrkdwn(sentence), blocks };
}

function describeDeadline({ expiresAt, requirement }: ActionView): string[] {
  if (expiresAt === null) return [];
  const end = requirement.onTimeout === 'rejected' ? 'Rejected by its rule' : 'Expires';
  return [`${end} ${showTime(expiresAt)} if nobody decides`];
}
