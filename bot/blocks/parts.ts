import type { Button, KnownBlock, RichTextBlock, RichTextElement, SectionBlock, TableBlock } from '@slack/types';
import type { Fact } from './facts.ts';
import { cut, showTimePlainly, TIME_FORMAT, toLine } from './text.ts';

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
export function factsBlock(facts: readonly Fact[]): RichTextBlock {
  const elements = facts.flatMap(([label, ...value], index): RichTextElement[] => [
    { type: 'text', text: `${index === 0 ? '' : '\n'}${label}: `, style: { bold: true } },
    ...value.map(drawPiece),
  ]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

/** The same in a line of plain text. */
export function writeFact([label, ...value]: Fact): string {
  return `${label}: ${writePieces(value)}`;
}

/** A cell of a table or a line of a list: text, times, or both. */
export type Cell = readonly (string | Date)[];

/**
 * Rows below a line of headings; cells are wrapped, so that nothing is out of sight on a phone. Only in messages, one in
 * each, and never alone: who cannot see it reads the message's text.
 */
export function tableBlock(table: { headings: readonly string[]; rows: readonly (readonly Cell[])[] }): TableBlock {
  const headings = table.headings.map((heading) => drawCell([heading], true));
  return {
    type: 'table',
    rows: [headings, ...table.rows.map((row) => row.map((cell) => drawCell(cell, false)))],
    column_settings: table.headings.map(() => ({ is_wrapped: true })),
  };
}

export function writePieces(pieces: readonly (string | Date)[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : showTimePlainly(piece))).join('');
}

function drawCell(pieces: Cell, isBold: boolean): RichTextBlock {
  const elements = pieces.map((piece): RichTextElement => {
    const drawn = drawPiece(piece);
    return isBold && drawn.type === 'text' ? { ...drawn, style: { bold: true } } : drawn;
  });
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

/** Slack shows a date in the zone and the language of whoever reads it. */
function drawPiece(piece: string | Date): RichTextElement {
  if (typeof piece === 'string') return { type: 'text', text: piece };
  const timestamp = Math.floor(piece.getTime() / 1000);
  return { type: 'date', timestamp, format: TIME_FORMAT, fallback: showTimePlainly(piece) };
}

/** Text exactly as it is. */
export function preformattedBlock(text: string): RichTextBlock {
  return { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] }] };
}

/** Times in it stand in the reader's own zone. */
export function listBlock(lines: readonly (string | Cell)[]): RichTextBlock {
  const elements = lines.map((line) => ({
    type: 'rich_text_section' as const,
    elements: (typeof line === 'string' ? [line] : line).map(drawPiece),
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
  /** Read aloud instead of the label, where that says too little by itself. */
  spoken?: string;
}): Button {
  return {
    type: 'button',
    action_id: input.actionId,
    text: { type: 'plain_text', text: cut(input.label, MAX_BUTTON), emoji: false },
    value: input.value,
    ...(input.spoken === undefined ? {} : { accessibility_label: toLine(input.spoken, MAX_BUTTON) }),
    ...(input.style === undefined ? {} : { style: input.style }),
  };
}
