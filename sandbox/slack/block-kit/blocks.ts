import type { Json } from '../model.ts';
import { ACCESSORY_ELEMENTS, ACTION_ELEMENTS, checkElement, checkImage, INPUT_ELEMENTS } from './elements.ts';
import { checkText } from './objects.ts';
import type { CheckContext, Surface } from './problems.ts';
import { checkRichText } from './rich-text.ts';

interface BlockRule {
  surfaces: readonly Surface[];
  keys: readonly string[];
  check: (context: CheckContext, block: Json, pointer: string) => void;
}

const EVERYWHERE: readonly Surface[] = ['message', 'modal', 'home'];
const NOT_MESSAGE: readonly Surface[] = ['modal', 'home'];

export const BLOCK_RULES: Record<string, BlockRule> = {
  section: { surfaces: EVERYWHERE, keys: ['text', 'fields', 'accessory', 'expand'], check: checkSection },
  divider: { surfaces: EVERYWHERE, keys: [], check: () => undefined },
  header: { surfaces: EVERYWHERE, keys: ['text'], check: checkHeader },
  context: { surfaces: EVERYWHERE, keys: ['elements'], check: checkContextBlock },
  actions: { surfaces: EVERYWHERE, keys: ['elements'], check: checkActions },
  image: {
    surfaces: EVERYWHERE,
    keys: ['image_url', 'alt_text', 'title', 'slack_file'],
    check: checkImageBlock,
  },
  input: {
    surfaces: EVERYWHERE,
    keys: ['label', 'element', 'hint', 'optional', 'dispatch_action'],
    check: checkInput,
  },
  rich_text: {
    surfaces: EVERYWHERE,
    keys: ['elements'],
    check: ({ problems }, block, at) => {
      checkRichText(problems, block, at);
    },
  },
  markdown: { surfaces: ['message'], keys: ['text'], check: checkMarkdown },
  table: { surfaces: ['message'], keys: ['rows', 'column_settings'], check: checkTable },
  video: {
    surfaces: EVERYWHERE,
    keys: [
      'alt_text',
      'title',
      'thumbnail_url',
      'video_url',
      'author_name',
      'description',
      'provider_name',
      'provider_icon_url',
      'title_url',
    ],
    check: checkVideo,
  },
  alert: { surfaces: NOT_MESSAGE, keys: ['text', 'level'], check: checkAlert },
};

export function checkBlock(context: CheckContext, block: Json, pointer: string): void {
  const { problems } = context;
  const type = String(block['type']);
  const rule = Object.hasOwn(BLOCK_RULES, type) ? BLOCK_RULES[type] : undefined;
  if (rule?.surfaces.includes(context.surface) !== true) {
    problems.add(`${pointer}/type`, `unsupported type: ${type}`);
    return;
  }
  problems.string(block['block_id'], `${pointer}/block_id`, { max: 255 });
  problems.keys(block, ['type', 'block_id', ...rule.keys], pointer);
  rule.check(context, block, pointer);
}

function checkSection(context: CheckContext, block: Json, pointer: string): void {
  const { problems } = context;
  if (block['text'] === undefined && block['fields'] === undefined)
    problems.add(pointer, 'must define either `text` or `fields`');
  if (block['text'] !== undefined) checkText(problems, block['text'], `${pointer}/text`, { max: 3000 });
  if (block['fields'] !== undefined) {
    for (const [index, field] of problems.list(block['fields'], `${pointer}/fields`, { max: 10 }).entries()) {
      checkText(problems, field, `${pointer}/fields/${String(index)}`, { max: 2000 });
    }
  }
  if (block['accessory'] !== undefined)
    checkElement(context, block['accessory'], `${pointer}/accessory`, ACCESSORY_ELEMENTS);
}

function checkHeader({ problems }: CheckContext, block: Json, pointer: string): void {
  checkText(problems, block['text'], `${pointer}/text`, { max: 150, plain: true });
}

function checkContextBlock({ problems }: CheckContext, block: Json, pointer: string): void {
  for (const [index, element] of problems.list(block['elements'], `${pointer}/elements`, { max: 10 }).entries()) {
    const at = `${pointer}/elements/${String(index)}`;
    if (!problems.object(element, at)) continue;
    if (element['type'] === 'image') checkImage(problems, element, at);
    else checkText(problems, element, at, { max: 2000 });
  }
}

function checkActions(context: CheckContext, block: Json, pointer: string): void {
  for (const [index, element] of context.problems
    .list(block['elements'], `${pointer}/elements`, { max: 25 })
    .entries()) {
    checkElement(context, element, `${pointer}/elements/${String(index)}`, ACTION_ELEMENTS);
  }
}

function checkImageBlock({ problems }: CheckContext, block: Json, pointer: string): void {
  checkImage(problems, block, pointer);
  if (block['title'] !== undefined) checkText(problems, block['title'], `${pointer}/title`, { max: 2000, plain: true });
}

function checkInput(context: CheckContext, block: Json, pointer: string): void {
  const { problems } = context;
  checkText(problems, block['label'], `${pointer}/label`, { max: 2000, plain: true });
  if (block['hint'] !== undefined) checkText(problems, block['hint'], `${pointer}/hint`, { max: 2000, plain: true });
  problems.boolean(block['optional'], `${pointer}/optional`);
  problems.boolean(block['dispatch_action'], `${pointer}/dispatch_action`);
  checkElement(context, block['element'], `${pointer}/element`, INPUT_ELEMENTS);
}

function checkMarkdown({ problems }: CheckContext, block: Json, pointer: string): void {
  problems.string(block['text'], `${pointer}/text`, { max: 12_000, required: true });
}

function checkTable({ problems }: CheckContext, block: Json, pointer: string): void {
  for (const [index, row] of problems.list(block['rows'], `${pointer}/rows`, { max: 100 }).entries()) {
    for (const [cell, value] of problems.list(row, `${pointer}/rows/${String(index)}`, { max: 20 }).entries()) {
      checkCell(problems, value, `${pointer}/rows/${String(index)}/${String(cell)}`);
    }
  }
  if (block['column_settings'] === undefined) return;
  const settings = problems.list(block['column_settings'], `${pointer}/column_settings`, { min: 0, max: 20 });
  for (const [index, setting] of settings.entries()) {
    const at = `${pointer}/column_settings/${String(index)}`;
    if (setting === null || !problems.object(setting, at)) continue; // null skips a column
    problems.oneOf(setting['align'], ['left', 'center', 'right'], `${at}/align`);
    problems.boolean(setting['is_wrapped'], `${at}/is_wrapped`);
    problems.keys(setting, ['align', 'is_wrapped'], at);
  }
}

function checkCell(problems: CheckContext['problems'], cell: unknown, pointer: string): void {
  if (!problems.object(cell, pointer)) return;
  if (cell['type'] === 'rich_text') checkRichText(problems, cell, pointer);
  else if (cell['type'] === 'raw_number') {
    if (typeof cell['value'] !== 'number') problems.add(`${pointer}/value`, 'must be a number');
  } else if (cell['type'] === 'raw_text')
    problems.string(cell['text'], `${pointer}/text`, { max: 10_000, required: true });
  else problems.add(`${pointer}/type`, `unsupported type: ${String(cell['type'])}`);
}

function checkVideo({ problems }: CheckContext, block: Json, pointer: string): void {
  problems.string(block['alt_text'], `${pointer}/alt_text`, { max: 2000, required: true });
  checkText(problems, block['title'], `${pointer}/title`, { max: 199, plain: true });
  problems.url(block['thumbnail_url'], `${pointer}/thumbnail_url`, true);
  problems.url(block['video_url'], `${pointer}/video_url`, true);
}

function checkAlert({ problems }: CheckContext, block: Json, pointer: string): void {
  checkText(problems, block['text'], `${pointer}/text`, { max: 2000 });
  problems.oneOf(block['level'], ['default', 'info', 'warning', 'error', 'success'], `${pointer}/level`);
}
