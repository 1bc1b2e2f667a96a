import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { argvBlock, requestFacts, storyFacts, timesBlock } from './facts.ts';
import type { Message } from './message.ts';
import { factsBlock, MAX_SENTENCE, preformattedBlock, sentenceBlock } from './parts.ts';
import { describeAction } from './sentences.ts';
import { escapeMrkdwn, lastLines, toLine } from './text.ts';

const TAIL = { lines: 40, maxChars: 1_800 }; // two of them, beside all that a card holds

/** All there is to know of one action, for the person who asked. */
export function createDetails(action: ActionView): Message {
  const sentence = toLine(describeAction(action), MAX_SENTENCE);
  const story = storyFacts(action);
  const blocks: KnownBlock[] = [sentenceBlock(sentence), requestFacts(action), argvBlock(action)];
  if (story !== null) blocks.push(story);
  blocks.push(
    factsBlock([
      ['Action', action.id],
      ['Playbook digest', toLine(action.playbookDigest, 80)],
    ]),
  );
  blocks.push(...outputOf('stdout', action.stdout, action.stdoutBytes));
  blocks.push(...outputOf('stderr', action.stderr, action.stderrBytes));
  blocks.push(timesBlock(action));
  return { text: escapeMrkdwn(sentence), blocks };
}

function outputOf(name: string, text: string | null, bytes: number | null): KnownBlock[] {
  if (text === null || text === '') return [];
  const size = bytes === null ? '' : ` (${bytes} bytes in all)`;
  return [sentenceBlock(`The last lines of ${name}${size}:`), preformattedBlock(lastLines(text, TAIL))];
}
