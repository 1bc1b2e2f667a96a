import type { Json } from '../model.ts';
import type { Problems } from './problems.ts';

const CONTAINERS = ['rich_text_section', 'rich_text_list', 'rich_text_preformatted', 'rich_text_quote'];

const REQUIRED_BY_LEAF: Record<string, string | undefined> = {
  text: 'text',
  link: 'url',
  emoji: 'name',
  user: 'user_id',
  usergroup: 'usergroup_id',
  channel: 'channel_id',
  team: 'team_id',
  broadcast: 'range',
  date: 'format',
  color: 'value',
};

/** Rich text: four kinds of containers; lists hold sections, the others hold leaves; a leaf's text is never empty. */
export function checkRichText(problems: Problems, block: Json, pointer: string): void {
  for (const [index, part] of problems.list(block['elements'], `${pointer}/elements`, { max: 1000 }).entries()) {
    const at = `${pointer}/elements/${String(index)}`;
    if (!problems.object(part, at)) continue;
    if (!CONTAINERS.includes(String(part['type'])))
      problems.add(`${at}/type`, `unsupported type: ${String(part['type'])}`);
    else checkContainer(problems, part, at);
  }
}

function checkContainer(problems: Problems, part: Json, pointer: string): void {
  const isList = part['type'] === 'rich_text_list';
  if (isList) problems.oneOf(part['style'] ?? 'missing', ['bullet', 'ordered'], `${pointer}/style`);
  const elements = problems.list(part['elements'], `${pointer}/elements`, { min: 0, max: 1000 });
  for (const [index, leaf] of elements.entries()) {
    const at = `${pointer}/elements/${String(index)}`;
    if (!problems.object(leaf, at)) continue;
    if (!isList) checkLeaf(problems, leaf, at);
    else if (leaf['type'] !== 'rich_text_section') problems.add(`${at}/type`, 'a list holds rich_text_section only');
    else checkContainer(problems, leaf, at);
  }
}

function checkLeaf(problems: Problems, leaf: Json, pointer: string): void {
  const type = String(leaf['type']);
  const required = Object.hasOwn(REQUIRED_BY_LEAF, type) ? REQUIRED_BY_LEAF[type] : undefined;
  if (required === undefined) {
    problems.add(`${pointer}/type`, `unsupported type: ${type}`);
    return;
  }
  problems.string(leaf[required], `${pointer}/${required}`, { max: 13_200, required: true });
  if (type === 'link') problems.url(leaf['url'], `${pointer}/url`, true);
  if (type === 'date')
    problems.integer(leaf['timestamp'] ?? 'missing', `${pointer}/timestamp`, { min: 0, max: 99_999_999_999 });
  if (leaf['style'] !== undefined) problems.object(leaf['style'], `${pointer}/style`);
}
