import type { KnownBlock, RichTextBlock, RichTextElement } from '@slack/types';
import { describeOutcome } from '../../domain/outcome-words.ts';
import type { ActionPreview, PastOutcome } from '../../services/actions/preview-action.ts';
import { argvBlock } from './facts.ts';
import { factsBlock, listBlock, sentenceBlock } from './parts.ts';
import { toLine } from './text.ts';

const MAX_NAMES = 8;

/** A preview, and who may approve it. */
export interface ShownPreview {
  preview: ActionPreview;
  /** Null: too many to ask Slack about each. */
  approvers: readonly string[] | null;
}

/** What would happen, under which rule, and how it went before; nothing of it has happened yet. */
export function createPreview({ preview, approvers }: ShownPreview): KnownBlock[] {
  const { server, playbook, requirement, argv, outcomes } = preview;
  const isFree = requirement.approvals === 0;
  const count = requirement.approvals === 1 ? 'an approval' : `${requirement.approvals} approvals`;
  const sentence = isFree
    ? `This needs nobody's approval: ${playbook.name} runs on ${server.name} as soon as you send it.`
    : `This needs ${count}: nothing runs on ${server.name} before.`;
  const notes = [...warnOfApprovers({ preview, approvers }), ...describeServerNotes(preview)];
  return [
    { type: 'divider' },
    sentenceBlock(sentence, { blockId: 'preview' }),
    factsBlock([
      ['Risk', playbook.risk],
      ['Rule', toLine(requirement.text, 300)],
      ...(isFree
        ? []
        : [['May approve', approvers === null ? 'many; the rule says who' : listNames(approvers)] as const]),
    ]),
    ...(notes.length === 0 ? [] : [listBlock(notes.map((note) => toLine(note, 300)))]),
    sentenceBlock('Exactly this would run, one line a step:'),
    argvBlock({ argvPreview: argv }),
    sentenceBlock(describePast(outcomes.length, playbook.name, server.name)),
    ...(outcomes.length === 0 ? [] : [outcomesBlock(outcomes)]),
  ];
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'nobody';
  const shown = names.slice(0, MAX_NAMES).map((name) => toLine(name, 80));
  const left = names.length - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} more` : shown.join(', ');
}

/** A request that can never be approved is told before it waits. */
function warnOfApprovers({ preview, approvers }: ShownPreview): string[] {
  const { approvals } = preview.requirement;
  if (approvers === null || approvers.length >= approvals) return [];
  const who = approvers.length === 0 ? 'nobody' : `only ${listNames(approvers)}`;
  return [
    `As far as is known now, ${who} may approve this, and it takes ${approvals}: it would wait until that changes.`,
  ];
}

function describeServerNotes({ server, playbook }: ActionPreview): string[] {
  const notes: string[] = [];
  if (server.paused) {
    notes.push(`${server.name} is paused by ${server.pausedBy ?? 'somebody'}: ${server.pauseReason ?? 'no reason'}.`);
  }
  if (server.status === 'never_seen') notes.push(`${server.name} was never heard of: it waits until its agent calls.`);
  else if (server.status === 'offline') notes.push(`${server.name} is offline: it waits until its agent calls again.`);
  const held = server.playbooks.find(({ name }) => name === playbook.name);
  if (server.status !== 'never_seen' && held === undefined) {
    notes.push(`The agent on ${server.name} has no playbook ${playbook.name}, so it would refuse.`);
  }
  if (held !== undefined && !held.known) {
    notes.push(`The agent on ${server.name} has another version of ${playbook.name}, so it would refuse.`);
  }
  if (server.queued > 0) notes.push(`${server.queued} approved before it on ${server.name} would run first.`);
  return notes;
}

function describePast(count: number, playbook: string, server: string): string {
  if (count === 0) return `${playbook} has never ended on ${server} yet.`;
  return count === 1 ? `How ${playbook} ended on ${server} before:` : `How ${playbook} ended on ${server} lately:`;
}

/** Names and words in rich text, each time in the reader's own zone. */
function outcomesBlock(outcomes: readonly PastOutcome[]): RichTextBlock {
  const elements = outcomes.map((outcome) => ({
    type: 'rich_text_section' as const,
    elements: describePastOutcome(outcome),
  }));
  return { type: 'rich_text', elements: [{ type: 'rich_text_list', style: 'bullet', elements }] };
}

function describePastOutcome(outcome: PastOutcome): RichTextElement[] {
  const words = outcome.status === 'completed' ? '' : ` (${describeOutcome(outcome)})`;
  const text = toLine(`${outcome.status}${words}, asked by ${outcome.requestedBy}`, 200);
  const { endedAt } = outcome;
  if (endedAt === null) return [{ type: 'text', text }];
  return [
    { type: 'text', text: `${text}, ` },
    {
      type: 'date',
      timestamp: Math.floor(endedAt.getTime() / 1000),
      format: '{date_short_pretty} {time}',
      fallback: `${endedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    },
  ];
}
