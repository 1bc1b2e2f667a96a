import type { KnownBlock } from '@slack/types';
import { describeReach } from '../../domain/halt.ts';
import { describeOutcome } from '../../domain/outcome-words.ts';
import type { ActionPreview, PastOutcome } from '../../services/actions/preview-action.ts';
import { describeHoldBack } from '../../services/hold-backs/read-hold-backs.ts';
import { argvBlock, haltFact } from './facts.ts';
import type { Cell } from './parts.ts';
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
  const { server, playbook, requirement, halt, argv, outcomes } = preview;
  const isFree = requirement.approvals === 0;
  const notes = [...warnOfApprovers({ preview, approvers }), ...describeServerNotes(preview)];
  return [
    { type: 'divider' },
    sentenceBlock(describePreview(preview), { blockId: 'preview' }),
    factsBlock([
      ...(halt === null ? [] : [haltFact(halt)]),
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
    ...(outcomes.length === 0 ? [] : [listBlock(outcomes.map(describePastOutcome))]),
  ];
}

function describePreview({ server, playbook, requirement, halt, holdBack }: ActionPreview): string {
  if (halt !== null) return `${describeReach(halt)}, so this cannot be asked for now: nothing was recorded.`;
  if (holdBack !== null) return 'This cannot be asked for now: nothing was recorded.';
  if (requirement.approvals === 0) {
    return `This needs nobody's approval: ${playbook.name} runs on ${server.name} as soon as you send it.`;
  }
  const count = requirement.approvals === 1 ? 'an approval' : `${requirement.approvals} approvals`;
  return `This needs ${count}: nothing runs on ${server.name} before.`;
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

function describeServerNotes({ server, playbook, holdBack }: ActionPreview): string[] {
  const notes: string[] = holdBack === null ? [] : [describeHoldBack(holdBack)];
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

function describePastOutcome(outcome: PastOutcome): Cell {
  const words = outcome.status === 'completed' ? '' : ` (${describeOutcome(outcome)})`;
  const text = toLine(`${outcome.status}${words}, asked by ${outcome.requestedBy}`, 200);
  return outcome.endedAt === null ? [text] : [`${text}, `, outcome.endedAt];
}
