import { isJson, listOf } from '../model.ts';
import type { Json } from '../model.ts';
import { checkBlock } from './blocks.ts';
import { checkText } from './objects.ts';
import { Problems } from './problems.ts';
import type { Surface } from './problems.ts';

const MAX_BLOCKS: Record<Surface, number> = { message: 50, modal: 100, home: 100 };
const MAX_BLOCK_CHARS = 13_200; // undocumented; found by others at chat.postMessage, see bolt-js issue 2509
const MAX_VIEW_BYTES = 250_000; // docs.slack.dev, views: larger ones are answered with view_too_large

export interface BlockVerdict {
  /** Slack's error code; undefined when all is well. */
  error: string | undefined;
  messages: string[];
}

const FINE: BlockVerdict = { error: undefined, messages: [] };

/** The blocks of a message as Slack judges them. */
export function judgeMessageBlocks(blocks: unknown): BlockVerdict {
  if (!Array.isArray(blocks) || !blocks.every(isJson)) return { error: 'invalid_blocks_format', messages: [] };
  const problems = new Problems();
  checkBlocks(problems, blocks, 'message');
  if (problems.messages.length > 0) return { error: 'invalid_blocks', messages: problems.messages };
  if (textLength(blocks) > MAX_BLOCK_CHARS) return { error: 'msg_blocks_too_long', messages: [] };
  return FINE;
}

/** A modal or a Home tab. `expected` is what the method takes. */
export function judgeView(view: unknown, expected: 'modal' | 'home' | 'any'): BlockVerdict {
  if (!isJson(view)) return { error: 'invalid_arguments', messages: ['[ERROR] missing required field: view'] };
  if (Buffer.byteLength(JSON.stringify(view)) > MAX_VIEW_BYTES) return { error: 'view_too_large', messages: [] };
  const problems = new Problems();
  const type = view['type'];
  if ((type !== 'modal' && type !== 'home') || (expected !== 'any' && type !== expected)) {
    problems.add('/view/type', `must be ${expected === 'any' ? 'modal or home' : expected}`);
    return { error: 'invalid_arguments', messages: problems.messages };
  }
  checkViewFields(problems, view, type);
  checkBlocks(
    problems,
    problems.list(view['blocks'], '/view/blocks', { min: 0, max: MAX_BLOCKS[type] }),
    type,
    '/view',
  );
  return problems.messages.length > 0 ? { error: 'invalid_arguments', messages: problems.messages } : FINE;
}

function checkViewFields(problems: Problems, view: Json, type: 'modal' | 'home'): void {
  problems.string(view['private_metadata'], '/view/private_metadata', { max: 3000 });
  problems.string(view['callback_id'], '/view/callback_id', { max: 255 });
  problems.string(view['external_id'], '/view/external_id', { max: 255 });
  if (type === 'home') {
    problems.keys(view, ['type', 'blocks', 'private_metadata', 'callback_id', 'external_id'], '/view');
    return;
  }
  checkText(problems, view['title'], '/view/title', { max: 24, plain: true });
  for (const key of ['submit', 'close']) {
    if (view[key] !== undefined && view[key] !== null)
      checkText(problems, view[key], `/view/${key}`, { max: 24, plain: true });
  }
  for (const key of ['clear_on_close', 'notify_on_close', 'submit_disabled'])
    problems.boolean(view[key], `/view/${key}`);
  const hasInput = listOf(view['blocks']).some((block) => block['type'] === 'input');
  if (hasInput && !isJson(view['submit']))
    problems.add('/view/submit', 'missing required field: submit, for a view with input blocks');
  problems.keys(
    view,
    [
      'type',
      'title',
      'blocks',
      'submit',
      'close',
      'private_metadata',
      'callback_id',
      'external_id',
      'clear_on_close',
      'notify_on_close',
      'submit_disabled',
    ],
    '/view',
  );
}

function checkBlocks(problems: Problems, blocks: unknown[], surface: Surface, root = ''): void {
  if (surface === 'message') problems.list(blocks, `${root}/blocks`, { min: 0, max: MAX_BLOCKS[surface] });
  const tables = blocks.filter((block) => isJson(block) && block['type'] === 'table').length;
  if (tables > 1) problems.add(`${root}/blocks`, 'only_one_table_allowed');
  const blockIds = new Set<string>();
  for (const [index, block] of blocks.entries()) {
    const pointer = `${root}/blocks/${String(index)}`;
    if (!problems.object(block, pointer)) continue;
    const id = block['block_id'];
    if (typeof id === 'string' && id !== '') {
      if (blockIds.has(id)) problems.add(`${pointer}/block_id`, `\`block_id\` "${id}" already exists`);
      blockIds.add(id);
    }
    checkBlock({ surface, problems, actionIds: new Set() }, block, pointer);
  }
}

/** All that a person reads, and what stands behind it. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, part) => sum + textLength(part), 0);
  if (!isJson(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, part]) => sum + (key === 'text' && typeof part === 'string' ? part.length : textLength(part)),
    0,
  );
}
