import { writeArgv } from '../../domain/argv-text.ts';
import type { KnownBlock, ModalView } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { describeState } from './card-states.ts';
import type { Fact } from './facts.ts';
import { argvBlock, requestFacts } from './facts.ts';
import { formFrame } from './form-parts.ts';
import type { Message } from './message.ts';
import { DETAILS_VIEW } from './names.ts';
import { factsBlock, MAX_SENTENCE, preformattedBlock, sentenceBlock, tableBlock, writeFact } from './parts.ts';
import { lastLines, toLine, writeText } from './text.ts';

const TAIL = { lines: 40, maxChars: 1_200 }; // two of them, beside all that a card holds
const MAX_DIGEST = 24; // tells two versions apart, and is no wider than a phone; the API has all of it

/** All there is to know of one action, for the person who asked: as a table, and as lines in the text. */
export function createDetails(action: ActionView): Message {
  const { sentence, facts } = tell(action);
  const rows = facts.map(([label, ...value]) => [[label], value]);
  const table = tableBlock({ headings: ['What', 'How it stands'], rows });
  const lines = [sentence, ...facts.map(writeFact), `Steps: ${toLine(writeArgv(action.argvPreview), 1_000)}`];
  return {
    text: writeText(lines),
    blocks: [sentenceBlock(sentence), argvBlock(action), ...outputs(action), table],
  };
}

/** The same as a window, where there is no message to answer below; Slack draws no tables there. */
export function createDetailsView(action: ActionView): ModalView {
  const { sentence, facts } = tell(action);
  return {
    ...formFrame(DETAILS_VIEW, 'Details', ''),
    blocks: [sentenceBlock(sentence), factsBlock(facts), argvBlock(action), ...outputs(action)],
  };
}

function tell(action: ActionView): { sentence: string; facts: Fact[] } {
  const state = describeState(action);
  const deadline: Fact[] = state.deadline === null ? [] : [[state.deadline.label, state.deadline.at]];
  const ids: Fact[] = [
    ['Action', action.id],
    ['Playbook digest', toLine(action.playbookDigest, MAX_DIGEST)],
  ];
  const facts = [...requestFacts(action), ...state.story, ...deadline, ...ids];
  return { sentence: toLine(state.sentence, MAX_SENTENCE), facts };
}

function outputs(action: ActionView): KnownBlock[] {
  return [
    ...outputOf('stdout', action.stdout, action.stdoutBytes),
    ...outputOf('stderr', action.stderr, action.stderrBytes),
  ];
}

function outputOf(name: string, text: string | null, bytes: number | null): KnownBlock[] {
  if (text === null || text === '') return [];
  const size = bytes === null ? '' : ` (${bytes} bytes in all)`;
  return [sentenceBlock(`The last lines of ${name}${size}:`), preformattedBlock(lastLines(text, TAIL))];
}
