import { MAX_NAME } from './facts.ts';
import type { News } from './message.ts';
import { JOURNAL_BLOCK, JOURNAL_EVENT_TYPE } from './names.ts';
import { factsBlock, MAX_SENTENCE, sentenceBlock } from './parts.ts';
import { escapeMrkdwn, toLine } from './text.ts';

export interface JournalDamage {
  server: string;
  foundAt: Date;
  /** How many could not be read; 0 where some were missing. */
  lines: number;
}

/** The new message in the channel when an agent has found its journal damaged. */
export function createJournalNews({ server, foundAt, lines }: JournalDamage): News {
  const name = toLine(server, MAX_NAME);
  const how = lines === 0 ? 'a part of it is missing' : `${lines} ${lines === 1 ? 'line' : 'lines'} cannot be read`;
  const sentence = toLine(`The agent on ${name} found its journal damaged: ${how}.`, MAX_SENTENCE);
  const facts = factsBlock([
    ['Found', foundAt],
    ['What that means', 'what may have started is reported as interrupted; nothing of it runs again'],
    ['What to do', 'look at the disk of that server; the damaged file is kept beside the journal'],
  ]);
  return {
    text: escapeMrkdwn(sentence),
    blocks: [sentenceBlock(sentence, { blockId: JOURNAL_BLOCK }), facts],
    metadata: { event_type: JOURNAL_EVENT_TYPE, event_payload: { server, found_at: foundAt.toISOString() } },
  };
}
