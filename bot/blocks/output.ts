import type { KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { Message } from './message.ts';
import { OUTPUT_BLOCK } from './names.ts';
import { MAX_SENTENCE, preformattedBlock, sentenceBlock } from './parts.ts';
import { cutMiddle, escapeMrkdwn, toLine, toLines } from './text.ts';

/** Two streams and their sentences stay below the 13,200 characters of a message. The end tells more than the start. */
const SHOWN = { headChars: 1_500, tailChars: 4_000 };

export interface OutputFile {
  filename: string;
  title: string;
  content: string;
}

/**
 * What a run wrote, for the thread of its card: each stream as it is, with its middle left out where it is long.
 * Without metadata: only a card and a notice are messages of the action, and nothing here can be clicked.
 */
export function createOutput(action: ActionView): Message {
  const streams = streamsOf(action);
  const sentence = toLine(describeOutput(action, streams), MAX_SENTENCE);
  const blocks: KnownBlock[] = [sentenceBlock(sentence, { blockId: OUTPUT_BLOCK })];
  for (const { name, text, bytes } of streams) {
    blocks.push(sentenceBlock(`${name}${bytes === null ? '' : `, ${bytes} bytes in all`}:`));
    blocks.push(preformattedBlock(cutMiddle(text, SHOWN)));
  }
  return { text: escapeMrkdwn(sentence), blocks };
}

/** All that is kept of what it wrote, where the message shows only a part; null where it shows everything. */
export function createOutputFile(action: ActionView): OutputFile | null {
  const streams = streamsOf(action);
  const isLong = streams.some(({ text }) => cutMiddle(text, SHOWN) !== text);
  if (!isLong) return null;
  const content = streams.map(({ name, text }) => `== ${name} ==\n${text}\n`).join('\n');
  return { filename: `${action.id}.txt`, title: toLine(`Output of ${action.playbook}`, 200), content };
}

interface Stream {
  name: 'stdout' | 'stderr';
  text: string;
  bytes: number | null;
}

function streamsOf(action: ActionView): Stream[] {
  const both = [
    { name: 'stdout', text: action.stdout, bytes: action.stdoutBytes },
    { name: 'stderr', text: action.stderr, bytes: action.stderrBytes },
  ] as const;
  return both.flatMap(({ name, text, bytes }) =>
    text === null || text.trim() === '' ? [] : [{ name, bytes, text: toLines(text).replace(/\n+$/, '') }],
  );
}

function describeOutput(action: ActionView, streams: readonly Stream[]): string {
  const what = `${action.playbook} on ${action.server}`;
  if (streams.length === 0) return `${what} wrote nothing.`;
  const isPart = action.truncated ? ' Its agent kept the first and the last 32 KiB of each stream.' : '';
  return `This is what ${what} wrote to ${streams.map(({ name }) => name).join(' and ')}.${isPart}`;
}
