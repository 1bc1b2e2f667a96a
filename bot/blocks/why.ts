import type { KnownBlock } from '@slack/types';
import type { ActionExplanation } from '../../services/actions/explain-action.ts';
import { describeAction } from './card-states.ts';
import type { Fact } from './facts.ts';
import { approvalFacts, MAX_NAME, MAX_REASON } from './facts.ts';
import type { Message } from './message.ts';
import { factsBlock, listBlock, MAX_SENTENCE, sentenceBlock, writeFact } from './parts.ts';
import { toLine, writeText } from './text.ts';

const MAX_PEOPLE = 20;

/** Why an action needs whom: its rule, who may decide now, who has, and who could not and why. */
export function createWhy(explanation: ActionExplanation): Message {
  const { action, rule, end, waits, may, couldNot } = explanation;
  const sentence = toLine(end ?? describeAction(action), MAX_SENTENCE);
  const facts: Fact[] = [
    ['Rule', toLine(rule || 'none', MAX_REASON)],
    ...(end === null ? [['May approve now', toLine(listNames(may) || 'nobody', MAX_REASON)] as const] : []),
    ...approvalFacts(action),
    ...(waits === null ? [] : [['Waits', toLine(waits, MAX_REASON)] as const]),
  ];
  const lines = couldNot.map(({ name, sentence: why }) => toLine(`${toLine(name, MAX_NAME)} ${why}`, 300));
  const shown = lines.slice(0, MAX_PEOPLE);
  const left = lines.length > shown.length ? [`and ${lines.length - shown.length} more`] : [];
  const heading = end === null ? 'These may not approve it:' : 'These could not approve it:';
  const blocks: KnownBlock[] = [sentenceBlock(sentence), factsBlock(facts)];
  if (shown.length > 0) blocks.push(sentenceBlock(heading), listBlock([...shown, ...left]));
  const told = shown.length === 0 ? [] : [heading, ...[...shown, ...left].map((line) => `• ${line}`)];
  return { text: writeText([sentence, ...facts.map(writeFact), ...told]), blocks };
}

function listNames(names: readonly string[]): string {
  return names.map((name) => toLine(name, MAX_NAME)).join(', ');
}
