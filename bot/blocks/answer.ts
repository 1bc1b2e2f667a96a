import type { KnownBlock } from '@slack/types';
import type { Message } from './message.ts';
import { listBlock, sentenceBlock, smallPrint } from './parts.ts';
import { showTime, toLine, writeText } from './text.ts';

const MAX_ANSWER = 2_000;
const MAX_TIMES = 3;

/** One sentence for one person, with a list below it where there is something to list. */
export function createAnswer(sentence: string, lines: readonly string[] = []): Message {
  const text = toLine(sentence, MAX_ANSWER);
  const shown = lines.slice(0, 40).map((line) => toLine(line, 200));
  const blocks: KnownBlock[] = [{ ...sentenceBlock(''), text: { type: 'plain_text', text, emoji: false } }];
  if (shown.length > 0) blocks.push(listBlock(shown));
  const times = timesIn(text);
  if (times.length > 0) blocks.push(smallPrint(times.map((at) => `In your time ${showTime(at)}`)));
  return { text: writeText([text, ...shown.map((line) => `• ${line}`)]), blocks };
}

/** What services tell has its times in UTC, as scripts read them too; here each is told in the reader's zone as well. */
function timesIn(text: string): Date[] {
  const found = [...text.matchAll(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/g)];
  const times = found.slice(0, MAX_TIMES).map(([, day = '', time = '']) => new Date(`${day}T${time}:00Z`));
  return times.filter((at) => !Number.isNaN(at.getTime()));
}
