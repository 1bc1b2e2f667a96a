import type { Button, KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { askAgainButton, detailsButton } from './card.ts';
import { describeAction } from './card-states.ts';
import type { Fact } from './facts.ts';
import { approvalFacts, MAX_NAME, MAX_REASON } from './facts.ts';
import type { ActionMessage } from './message.ts';
import { metadataOf } from './message.ts';
import { BREAK_GLASS_BLOCK, NOTICE_BLOCK } from './names.ts';
import { factsBlock, MAX_SENTENCE, preformattedBlock, sentenceBlock, smallPrint } from './parts.ts';
import { escapeMrkdwn, lastLines, toLine } from './text.ts';

const TAIL = { lines: 15, maxChars: 2_500 };

/** `end`: it failed or expired. `break_glass`: somebody approved it against its rule. */
export type NoticeKind = 'end' | 'break_glass';

/** What the outbox keeps of a notice says which it is. */
export function readNoticeKind(payload: Readonly<Record<string, unknown>>): NoticeKind {
  return payload['kind'] === 'break_glass' ? 'break_glass' : 'end';
}

/** A new message in the channel, for what somebody has to know; what can be done next are its buttons. */
export function createNotice(action: ActionView, kind: NoticeKind = 'end'): ActionMessage {
  const words = kind === 'break_glass' ? describeBreakGlass(action) : describeAction(action);
  const sentence = toLine(words, MAX_SENTENCE);
  const blocks: KnownBlock[] = [
    sentenceBlock(sentence, { blockId: noticeBlockId(kind) }),
    factsBlock(factsOf(action, kind)),
  ];
  const output = kind === 'end' ? tailOf(action) : null;
  if (output !== null) blocks.push(preformattedBlock(output));
  blocks.push({ type: 'actions', elements: nextSteps(action, kind) });
  const link = linkTo(action.slackPermalink);
  if (link !== null) blocks.push(smallPrint([link]));
  return { text: escapeMrkdwn(sentence), blocks, metadata: metadataOf(action) };
}

/** The id of its first block, which tells the notices of one action from each other. */
export function noticeBlockId(kind: NoticeKind): string {
  return kind === 'break_glass' ? BREAK_GLASS_BLOCK : NOTICE_BLOCK;
}

function nextSteps(action: ActionView, kind: NoticeKind): Button[] {
  return kind === 'end' ? [detailsButton(action), askAgainButton(action)] : [detailsButton(action)];
}

function factsOf(action: ActionView, kind: NoticeKind): Fact[] {
  const asked: Fact = ['Requested by', `${toLine(action.requestedBy, MAX_NAME)}, `, action.requestedAt];
  const approvals = approvalFacts(action);
  const rule: Fact = ['Rule', toLine(action.approvalRule || 'none', MAX_REASON)];
  if (kind === 'break_glass') return [asked, rule, ...approvals];
  return [asked, ...(approvals.length === 0 ? [['Approved by', 'nobody'] as const, rule] : approvals)];
}

function describeBreakGlass(action: ActionView): string {
  const by = action.approvals.findLast(({ isBreakGlass }) => isBreakGlass)?.by ?? action.approvedBy ?? 'Somebody';
  return `${by} used break glass: ${action.playbook} on ${action.server} is approved without the approvals that its rule asks for.`;
}

/** What went wrong is said on stderr by most; where nothing was, the end of stdout. */
function tailOf(action: ActionView): string | null {
  const isSilent = (action.stderr ?? '').trim() === '';
  const output = isSilent ? action.stdout : action.stderr;
  return output === null || output.trim() === '' ? null : lastLines(output, TAIL);
}

/** Slack's own address, checked all the same: nothing else may become a link. */
export function linkTo(permalink: string | null): string | null {
  if (permalink === null || !/^https?:\/\/[^\s<>|]{1,500}$/.test(permalink)) return null;
  return `<${permalink}|Open the card>`;
}
