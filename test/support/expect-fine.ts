import { expect } from '@jest/globals';
import type { KnownBlock, ModalView } from '@slack/types';
import { createHome, idsOnHome } from '../../bot/blocks/home.ts';
import type { Message } from '../../bot/blocks/message.ts';
import { judgeMessageBlocks, judgeView } from '../../sandbox/slack/block-kit/surfaces.ts';
import type { HomeContent } from '../../services/slack/homes.ts';

const MAX_TEXT = 4_000; // chat.update takes no more
const FINE_TEXT = { isPlain: true, isLong: false, isEmpty: false };

/** Fails where Slack would refuse the message, or where something in it is more than text. */
export function expectFine(message: Message): void {
  const { text, blocks } = message;
  expect(judgeMessageBlocks(blocks)).toEqual({ error: undefined, messages: [] });
  const isPlain = !/[<>&]/.test(text.replace(/&(?:amp|lt|gt);/g, ''));
  expect({ isPlain, isLong: text.length > MAX_TEXT, isEmpty: text.trim() === '' }).toEqual(FINE_TEXT);
  expect(blocks[0]).toMatchObject({ type: 'section', text: { type: 'plain_text' } });
  expectHarmless(blocks);
}

/** The same of a form or a window. */
export function expectFineView(view: ModalView): void {
  expect(judgeView(view, 'modal')).toEqual({ error: undefined, messages: [] });
  expectHarmless(view.blocks as KnownBlock[]);
}

/** The same of a Home, and that each of its buttons names what it may. */
export function expectFineHome(content: HomeContent): void {
  const ids = idsOnHome(content);
  const home = createHome(content, JSON.stringify({ ids }));
  expect(judgeView(home, 'home')).toEqual({ error: undefined, messages: [] });
  expect(home.blocks[0]).toMatchObject({ type: 'section', text: { type: 'plain_text' } });
  for (const { value } of partsOf(home.blocks)) if (value !== undefined) expect(ids).toContain(value);
  expectHarmless(home.blocks as KnownBlock[]);
}

interface Part {
  type?: string;
  text?: unknown;
  value?: unknown;
  emoji?: boolean;
  accessibility_label?: string;
  action_id?: string;
}

/** Our own dates and the link to the card: all that mrkdwn may hold. */
const OUR_MRKDWN =
  /^(?:[A-Z][a-z ]+ <!date\^\d+\^[^<>|]+\|[\d: -]+UTC>|Until somebody unpauses it|<https:\/\/[^<>|\s]+\|Open the card>)$/;
const MARKUP = ['user', 'usergroup', 'channel', 'broadcast', 'link', 'emoji', 'markdown', 'image'];

const HIDDEN = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}]/u;

/** Nothing else can mention, link, format, hide, or pass for one of our buttons. Thousands of parts: no `expect` each. */
function expectHarmless(blocks: readonly KnownBlock[]): void {
  for (const part of partsOf(blocks)) {
    const problem = findProblem(part);
    if (problem !== null) throw new Error(`${problem}: ${JSON.stringify(part)}`);
  }
}

function findProblem({ type, text, emoji, accessibility_label: spoken }: Part): string | null {
  const words = typeof text === 'string' ? text : '';
  if (type !== undefined && MARKUP.includes(type)) return 'more than text';
  if (type === 'mrkdwn') return OUR_MRKDWN.test(words) ? null : 'mrkdwn that is not ours';
  if (HIDDEN.test(words) || HIDDEN.test(spoken ?? '')) return 'what nobody sees';
  const hasEmoji = type === 'plain_text' && emoji !== false && /:\w+:/.test(words);
  return hasEmoji ? 'an emoji' : null;
}

export function partsOf(value: unknown, found: Part[] = []): Part[] {
  if (typeof value !== 'object' || value === null) return found;
  if (!Array.isArray(value)) found.push(value as Part);
  for (const part of Object.values(value)) partsOf(part, found);
  return found;
}
