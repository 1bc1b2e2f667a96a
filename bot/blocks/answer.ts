import type { KnownBlock } from '@slack/types';
import type { Message } from './message.ts';
import { listBlock, sentenceBlock } from './parts.ts';
import { escapeWithin, toLine } from './text.ts';

const MAX_ANSWER = 2_000;
const MAX_TEXT = 4_000; // Slack's advice for `text`

/** One sentence for one person, with a list below it where there is something to list. */
export function createAnswer(sentence: string, lines: readonly string[] = []): Message {
  const text = toLine(sentence, MAX_ANSWER);
  const shown = lines.slice(0, 40).map((line) => toLine(line, 200));
  const blocks: KnownBlock[] = [{ ...sentenceBlock(''), text: { type: 'plain_text', text, emoji: false } }];
  if (shown.length > 0) blocks.push(listBlock(shown));
  return { text: escapeWithin([text, ...shown.map((line) => `• ${line}`)].join('\n'), MAX_TEXT), blocks };
}
