import type { HomeView, KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { describeServer } from './lists.ts';
import { COMMAND, shortId } from './names.ts';
import { listBlock, sentenceBlock } from './parts.ts';
import { describeAction } from './card-states.ts';
import { toLine } from './text.ts';

const MAX_ROWS = 20;

export function createHome(input: { pending: readonly ActionView[]; servers: readonly ServerView[] }): HomeView {
  const paused = input.servers.filter((server) => server.paused);
  return {
    type: 'home',
    blocks: [
      ...part(
        input.pending.map((action) => `${shortId(action.id)}: ${describeAction(action)}`),
        { some: 'These wait for approval:', none: 'Nothing waits for approval.' },
      ),
      { type: 'divider' },
      ...part(paused.map(describeServer), { some: 'These servers are paused:', none: 'No server is paused.' }),
      { type: 'divider' },
      sentenceBlock(`Ask for a repair with ${COMMAND}; ${COMMAND} help shows all that it understands.`),
    ],
  };
}

/** For somebody who is no principal. */
export function createClosedHome(sentence: string): HomeView {
  return { type: 'home', blocks: [sentenceBlock(sentence)] };
}

function part(lines: readonly string[], words: { some: string; none: string }): KnownBlock[] {
  if (lines.length === 0) return [sentenceBlock(words.none)];
  return [sentenceBlock(words.some), listBlock(lines.slice(0, MAX_ROWS).map((line) => toLine(line, 300)))];
}
