import type { Json } from '../model.ts';
import { checkConfirm, checkInitialOptions, checkOptionGroups, checkOptions, checkText } from './objects.ts';
import type { CheckContext, Problems } from './problems.ts';

type ElementCheck = (problems: Problems, element: Json, pointer: string) => void;

const SELECTS = ['static_select', 'external_select', 'users_select', 'conversations_select', 'channels_select'];
export const MENUS = [...SELECTS, ...SELECTS.map((name) => `multi_${name}`)];
const PICKERS = ['datepicker', 'timepicker', 'datetimepicker'];
const CHOICES = ['checkboxes', 'radio_buttons'];
const TEXT_INPUTS = ['plain_text_input', 'email_text_input', 'url_text_input', 'number_input', 'rich_text_input'];

/** Which elements a block takes; the three places of Block Kit differ. */
export const ACTION_ELEMENTS = ['button', 'overflow', 'workflow_button', ...SELECTS, ...MENUS, ...PICKERS, ...CHOICES];
export const ACCESSORY_ELEMENTS = [...ACTION_ELEMENTS.filter((name) => name !== 'datetimepicker'), 'image'];
export const INPUT_ELEMENTS = [...MENUS, ...PICKERS, ...CHOICES, ...TEXT_INPUTS, 'file_input'];

const COMMON = ['type', 'action_id', 'confirm', 'focus_on_load'];

const CHECKS: Record<string, { keys: string[]; check: ElementCheck }> = {
  button: { keys: ['text', 'value', 'url', 'style', 'accessibility_label'], check: checkButton },
  workflow_button: { keys: ['text', 'workflow', 'style', 'accessibility_label'], check: checkButton },
  overflow: { keys: ['options'], check: checkOverflow },
  checkboxes: { keys: ['options', 'initial_options'], check: checkChoices },
  radio_buttons: { keys: ['options', 'initial_option'], check: checkChoices },
  datepicker: { keys: ['initial_date', 'placeholder'], check: checkDate },
  timepicker: { keys: ['initial_time', 'placeholder', 'timezone'], check: checkTime },
  datetimepicker: { keys: ['initial_date_time'], check: checkDateTime },
  plain_text_input: {
    keys: ['initial_value', 'multiline', 'min_length', 'max_length', 'dispatch_action_config', 'placeholder'],
    check: checkTextInput,
  },
  email_text_input: { keys: ['initial_value', 'dispatch_action_config', 'placeholder'], check: checkTextInput },
  url_text_input: { keys: ['initial_value', 'dispatch_action_config', 'placeholder'], check: checkTextInput },
  rich_text_input: { keys: ['initial_value', 'dispatch_action_config', 'placeholder'], check: () => undefined },
  number_input: {
    keys: ['is_decimal_allowed', 'initial_value', 'min_value', 'max_value', 'dispatch_action_config', 'placeholder'],
    check: checkNumber,
  },
  file_input: { keys: ['filetypes', 'max_files'], check: () => undefined },
};

/** One interactive element, by the rules of its type and of the block it stands in. */
export function checkElement(context: CheckContext, value: unknown, pointer: string, allowed: readonly string[]): void {
  const { problems } = context;
  if (!problems.object(value, pointer)) return;
  const type = String(value['type']);
  if (!allowed.includes(type)) {
    problems.add(`${pointer}/type`, `unsupported type: ${type}`);
    return;
  }
  if (type === 'image') {
    checkImage(problems, value, pointer);
    return;
  }
  checkActionId(context, value['action_id'], `${pointer}/action_id`);
  checkConfirm(problems, value['confirm'], `${pointer}/confirm`);
  problems.boolean(value['focus_on_load'], `${pointer}/focus_on_load`);
  if (value['placeholder'] !== undefined)
    checkText(problems, value['placeholder'], `${pointer}/placeholder`, { max: 150, plain: true });
  if (MENUS.includes(type)) checkMenu(problems, value, pointer);
  const rule = CHECKS[type];
  rule?.check(problems, value, pointer);
  if (rule !== undefined) problems.keys(value, [...COMMON, ...rule.keys], pointer);
}

export function checkImage(problems: Problems, value: Json, pointer: string): void {
  if (value['slack_file'] === undefined) problems.url(value['image_url'], `${pointer}/image_url`, true);
  problems.string(value['alt_text'], `${pointer}/alt_text`, { max: 2000, required: true });
}

/** Slack makes one up where none is given, but two that are given must differ within the block. */
function checkActionId(context: CheckContext, value: unknown, pointer: string): void {
  if (value === undefined) return;
  if (!context.problems.string(value, pointer, { max: 255, min: 1 })) return;
  const id = String(value);
  if (context.actionIds.has(id)) context.problems.add(pointer, `\`action_id\` "${id}" already exists in this block`);
  context.actionIds.add(id);
}

function checkButton(problems: Problems, element: Json, pointer: string): void {
  checkText(problems, element['text'], `${pointer}/text`, { max: 75, plain: true });
  problems.string(element['value'], `${pointer}/value`, { max: 2000 });
  problems.string(element['accessibility_label'], `${pointer}/accessibility_label`, { max: 75 });
  problems.oneOf(element['style'], ['primary', 'danger'], `${pointer}/style`);
  if (element['url'] !== undefined) problems.url(element['url'], `${pointer}/url`, false);
}

function checkOverflow(problems: Problems, element: Json, pointer: string): void {
  checkOptions(problems, element['options'], `${pointer}/options`, { plain: true, max: 5, url: true });
}

function checkChoices(problems: Problems, element: Json, pointer: string): void {
  checkOptions(problems, element['options'], `${pointer}/options`, { plain: false, max: 10 });
  checkInitial(problems, element, pointer);
}

function checkMenu(problems: Problems, element: Json, pointer: string): void {
  const type = String(element['type']);
  if (type.endsWith('static_select')) {
    if ((element['options'] === undefined) === (element['option_groups'] === undefined)) {
      problems.add(pointer, 'must define either `options` or `option_groups`');
    }
    if (element['options'] !== undefined)
      checkOptions(problems, element['options'], `${pointer}/options`, { plain: true, max: 100 });
    if (element['option_groups'] !== undefined)
      checkOptionGroups(problems, element['option_groups'], `${pointer}/option_groups`);
    checkInitial(problems, element, pointer);
  } else if (element['options'] !== undefined) problems.add(`${pointer}/options`, `not for ${type}`);
  problems.integer(element['min_query_length'], `${pointer}/min_query_length`, { min: 0, max: 100 });
  problems.integer(element['max_selected_items'], `${pointer}/max_selected_items`, { min: 1, max: 100 });
}

function checkInitial(problems: Problems, element: Json, pointer: string): void {
  const groups = Array.isArray(element['option_groups']) ? (element['option_groups'] as Json[]) : [];
  const own = Array.isArray(element['options']) ? (element['options'] as unknown[]) : [];
  const options = [
    ...own,
    ...groups.flatMap((group) => (Array.isArray(group['options']) ? (group['options'] as unknown[]) : [])),
  ];
  if (element['initial_option'] !== undefined) {
    checkInitialOptions(problems, [element['initial_option']], options, `${pointer}/initial_option`);
  }
  if (element['initial_options'] !== undefined) {
    const chosen = problems.list(element['initial_options'], `${pointer}/initial_options`, { max: 100 });
    checkInitialOptions(problems, chosen, options, `${pointer}/initial_options`);
  }
}

function checkDate(problems: Problems, element: Json, pointer: string): void {
  const date = element['initial_date'];
  if (date !== undefined && !/^\d{4}-\d\d-\d\d$/.test(String(date)))
    problems.add(`${pointer}/initial_date`, 'must be YYYY-MM-DD');
}

function checkTime(problems: Problems, element: Json, pointer: string): void {
  const time = element['initial_time'];
  if (time !== undefined && !/^([01]\d|2[0-3]):[0-5]\d$/.test(String(time)))
    problems.add(`${pointer}/initial_time`, 'must be HH:mm');
}

function checkDateTime(problems: Problems, element: Json, pointer: string): void {
  problems.integer(element['initial_date_time'], `${pointer}/initial_date_time`, {
    min: 1_000_000_000,
    max: 9_999_999_999,
  });
}

function checkTextInput(problems: Problems, element: Json, pointer: string): void {
  problems.string(element['initial_value'], `${pointer}/initial_value`, { max: 3000 });
  problems.boolean(element['multiline'], `${pointer}/multiline`);
  problems.integer(element['min_length'], `${pointer}/min_length`, { min: 0, max: 3000 });
  problems.integer(element['max_length'], `${pointer}/max_length`, { min: 1, max: 3000 });
  if (Number(element['min_length'] ?? 0) > Number(element['max_length'] ?? 3000)) {
    problems.add(`${pointer}/min_length`, 'must not be greater than max_length');
  }
}

function checkNumber(problems: Problems, element: Json, pointer: string): void {
  if (typeof element['is_decimal_allowed'] !== 'boolean')
    problems.add(`${pointer}/is_decimal_allowed`, 'missing required field');
  for (const key of ['initial_value', 'min_value', 'max_value']) {
    const value = element[key];
    if (value !== undefined && (typeof value !== 'string' || !Number.isFinite(Number(value)))) {
      problems.add(`${pointer}/${key}`, 'must be a number in a string');
    } else if (value !== undefined && element['is_decimal_allowed'] === false && !Number.isInteger(Number(value))) {
      problems.add(`${pointer}/${key}`, 'must be a whole number');
    }
  }
  const [least, first, most] = [element['min_value'], element['initial_value'], element['max_value']].map(toNumber);
  if (least !== undefined && most !== undefined && least > most)
    problems.add(`${pointer}/min_value`, 'must not be greater than max_value');
  if (first !== undefined && (first < (least ?? -Infinity) || first > (most ?? Infinity)))
    problems.add(`${pointer}/initial_value`, 'must be between min_value and max_value');
}

function toNumber(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}
