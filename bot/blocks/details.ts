import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { describeState } from './card-states.ts';
import type { Fact } from './facts.ts';
import { requestFacts, writeArgv, argvBlock } from './facts.ts';
import type { Message } from './message.ts';
import { MAX_SENTENCE, preformattedBlock, sentenceBlock, tableBlock, writeFact } from './parts.ts';
import { escapeWithin, lastLines, toLine } from './text.ts';

const TAIL = { lines: 40, maxChars: 1_200 }; // two of them, beside all that a card holds
const MAX_TEXT = 4_000; // Slack's advice for `text`

/** All there is to know of one action, for the person who asked: as a table, and as lines in the text. */
export function createDetails(action: ActionView): Message {
  const state = describeState(action);
  const sentence = toLine(state.sentence, MAX_SENTENCE);
  const facts: Fact[] = [
    ...requestFacts(action),
    ...state.story,
    ...(state.deadline === null ? [] : [[state.deadline.label, state.deadline.at] as const]),
    ['Action', action.id],
    ['Playbook digest', toLine(action.playbookDigest, 80)],
  ];
  const rows = facts.map(([label, ...value]) => [[label], value]);
  const blocks: KnownBlock[] = [
    sentenceBlock(sentence),
    argvBlock(action),
    ...outputOf('stdout', action.stdout, action.stdoutBytes),
    ...outputOf('stderr', action.stderr, action.stderrBytes),
    tableBlock({ headings: ['What', 'How it stands'], rows }),
  ];
  const lines = [sentence, ...facts.map(writeFact), `Steps: ${toLine(writeArgv(action.argvPreview), 1_000)}`];
  return { text: escapeWithin(lines.join('\n'), MAX_TEXT), blocks };
}

function outputOf(name: string, text: string | null, bytes: number | null): KnownBlock[] {
  if (text === null || text === '') return [];
  const size = bytes === null ? '' : ` (${bytes} bytes in all)`;
  return [sentenceBlock(`The last lines of ${name}${size}:`), preformattedBlock(lastLines(text, TAIL))];
}
