import type { Button, KnownBlock, RichTextBlock, RichTextElement, SectionBlock } from '@slack/types';
import { cut, toLine } from './text.ts';

/*
 * What people and programs wrote stands only in plain_text without emoji and in rich text, where nothing mentions,
 * links or formats. mrkdwn holds our own words and times.
 */

export const MAX_SENTENCE = 600;
const MAX_BUTTON = 75;

/** The sentence that says it all, as a block of its own. */
export function sentenceBlock(text: string, options: { blockId?: string; accessory?: Button } = {}): SectionBlock {
  return {
    type: 'section',
    ...(options.blockId === undefined ? {} : { block_id: options.blockId }),
    text: { type: 'plain_text', text: toLine(text, MAX_SENTENCE), emoji: false },
    ...(options.accessory === undefined ? {} : { accessory: options.accessory }),
  };
}

/** `Label: value` on lines of their own. */
export function factsBlock(facts: readonly (readonly [label: string, value: string])[]): RichTextBlock {
  const elements = facts.flatMap(([label, value], index): RichTextElement[] => [
    { type: 'text', text: `${index === 0 ? '' : '\n'}${label}: `, style: { bold: true } },
    { type: 'text', text: value },
  ]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

/** Text exactly as it is. */
export function preformattedBlock(text: string): RichTextBlock {
  return { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] }] };
}

export function listBlock(lines: readonly string[]): RichTextBlock {
  const elements = lines.map((text) => ({
    type: 'rich_text_section' as const,
    elements: [{ type: 'text' as const, text }],
  }));
  return { type: 'rich_text', elements: [{ type: 'rich_text_list', style: 'bullet', elements }] };
}

/** Our own words and times in small print; mrkdwn, so never what somebody else wrote. */
export function smallPrint(texts: readonly string[]): KnownBlock {
  return {
    type: 'context',
    elements: texts.slice(0, 10).map((text) => ({ type: 'mrkdwn' as const, text, verbatim: true })),
  };
}

export function button(input: {
  actionId: string;
  label: string;
  value: string;
  style?: 'primary' | 'danger';
}): Button {
  return {
    type: 'button',
    action_id: input.actionId,
    text: { type: 'plain_text', text: cut(input.label, MAX_BUTTON), emoji: false },
    value: input.value,
    ...(input.style === undefined ? {} : { style: input.style }),
  };
}
