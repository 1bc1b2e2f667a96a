import type { Problems } from './problems.ts';

/** A text object. `plain` refuses mrkdwn, as titles, labels and buttons do. */
export function checkText(
  problems: Problems,
  value: unknown,
  pointer: string,
  limit: { max: number; plain?: boolean },
): void {
  if (!problems.object(value, pointer)) return;
  if (value['type'] !== 'plain_text' && value['type'] !== 'mrkdwn')
    problems.add(`${pointer}/type`, 'must be plain_text or mrkdwn');
  else if (limit.plain === true && value['type'] !== 'plain_text')
    problems.add(`${pointer}/type`, 'must be plain_text');
  problems.string(value['text'], `${pointer}/text`, { max: limit.max, required: true });
  problems.boolean(value['emoji'], `${pointer}/emoji`);
  problems.boolean(value['verbatim'], `${pointer}/verbatim`);
  if (value['type'] === 'mrkdwn' && value['emoji'] !== undefined)
    problems.add(`${pointer}/emoji`, 'only for plain_text');
  if (value['type'] === 'plain_text' && value['verbatim'] !== undefined)
    problems.add(`${pointer}/verbatim`, 'only for mrkdwn');
  problems.keys(value, ['type', 'text', 'emoji', 'verbatim'], pointer);
}

export function checkConfirm(problems: Problems, value: unknown, pointer: string): void {
  if (value === undefined || !problems.object(value, pointer)) return;
  checkText(problems, value['title'], `${pointer}/title`, { max: 100, plain: true });
  checkText(problems, value['text'], `${pointer}/text`, { max: 300 });
  checkText(problems, value['confirm'], `${pointer}/confirm`, { max: 30, plain: true });
  checkText(problems, value['deny'], `${pointer}/deny`, { max: 30, plain: true });
  problems.oneOf(value['style'], ['primary', 'danger'], `${pointer}/style`);
  problems.keys(value, ['title', 'text', 'confirm', 'deny', 'style'], pointer);
}

/** Menus take plain text and values up to 150; checkboxes and radio buttons may use mrkdwn. */
export function checkOption(
  problems: Problems,
  value: unknown,
  pointer: string,
  form: { plain: boolean; url?: boolean },
): void {
  if (!problems.object(value, pointer)) return;
  checkText(problems, value['text'], `${pointer}/text`, { max: 75, plain: form.plain });
  problems.string(value['value'], `${pointer}/value`, { max: 150, required: true });
  if (value['description'] !== undefined) {
    checkText(problems, value['description'], `${pointer}/description`, { max: 75, plain: form.plain });
  }
  if (value['url'] !== undefined && form.url !== true)
    problems.add(`${pointer}/url`, 'only for options of an overflow menu');
  else if (value['url'] !== undefined) problems.url(value['url'], `${pointer}/url`, false);
  problems.keys(value, ['text', 'value', 'description', 'url'], pointer);
}

/** A list of options with unique values, and the ones chosen at first, which must be among them. */
export function checkOptions(
  problems: Problems,
  value: unknown,
  pointer: string,
  form: { plain: boolean; min?: number; max: number; url?: boolean },
): void {
  const seen = new Set<string>();
  for (const [index, option] of problems.list(value, pointer, form).entries()) {
    checkOption(problems, option, `${pointer}/${String(index)}`, form);
    const name = String((option as { value?: unknown } | null)?.value);
    if (seen.has(name)) problems.add(`${pointer}/${String(index)}/value`, `duplicate option value: ${name}`);
    seen.add(name);
  }
}

export function checkOptionGroups(problems: Problems, value: unknown, pointer: string): void {
  for (const [index, group] of problems.list(value, pointer, { max: 100 }).entries()) {
    const at = `${pointer}/${String(index)}`;
    if (!problems.object(group, at)) continue;
    checkText(problems, group['label'], `${at}/label`, { max: 75, plain: true });
    checkOptions(problems, group['options'], `${at}/options`, { plain: true, max: 100 });
  }
}

export function checkInitialOptions(problems: Problems, chosen: unknown[], from: unknown[], pointer: string): void {
  const values = from.map((option) => (option as { value?: unknown } | null)?.value);
  for (const option of chosen) {
    if (!values.includes((option as { value?: unknown } | null)?.value))
      problems.add(pointer, 'must be one of the options');
  }
}
