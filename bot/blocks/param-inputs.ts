import type { InputBlock, PlainTextOption } from '@slack/types';
import { explainPattern } from '../../playbook/explain-pattern.ts';
import type { EnumParam, IntegerParam, ParamSpec, Playbook } from '../../playbook/playbook.ts';
import { cut, toLine } from './text.ts';

/*
 * One input for each parameter of a playbook, whatever the playbook: within Slack's limits, and never narrower than
 * what the playbook accepts.
 */

export const MAX_OPTIONS = 100;
const MAX_OPTION_TEXT = 75;
const MAX_HINT = 300; // Slack takes 2,000; nobody reads that below a field
const MAX_PATTERN = 100; // a longer one is no help
const MAX_INPUT = 3_000;

/** Block and action of a parameter's input. */
export const PARAM_PREFIX = 'param_';
export const CHECKED = 'true';

type Element = InputBlock['element'];

/** `entered`: what stands there already, as text; undefined: the playbook's default. */
export function createParamInputs(
  playbook: Playbook,
  entered: Readonly<Record<string, string>> | undefined,
): InputBlock[] {
  return Object.entries(playbook.params).map(([name, spec]): InputBlock => {
    const element = createElement(name, spec, entered?.[name] ?? defaultOf(spec));
    const hint = hintOf(spec);
    return {
      type: 'input',
      block_id: `${PARAM_PREFIX}${name}`,
      label: { type: 'plain_text', text: toLine(name, 100), emoji: false },
      ...(hint === '' ? {} : { hint: { type: 'plain_text', text: toLine(hint, MAX_HINT), emoji: false } }),
      optional: !spec.required || spec.type === 'boolean', // a box that is not ticked says no
      dispatch_action: ['static_select', 'external_select', 'checkboxes'].includes(element.type),
      element,
    };
  });
}

/** Values that a menu can show whole; a menu searches where they are more than it can list. */
export function isMenu(spec: ParamSpec): boolean {
  return spec.type === 'enum' && spec.values.every((value) => value !== '' && value.length <= MAX_OPTION_TEXT);
}

export function createOption(text: string, value: string, description?: string): PlainTextOption {
  return {
    text: { type: 'plain_text', text: toLine(text, MAX_OPTION_TEXT), emoji: false },
    value,
    ...(description === undefined
      ? {}
      : { description: { type: 'plain_text', text: toLine(description, MAX_OPTION_TEXT), emoji: false } }),
  };
}

function createElement(name: string, spec: ParamSpec, value: string): Element {
  const actionId = `${PARAM_PREFIX}${name}`;
  if (spec.type === 'enum' && isMenu(spec)) return createMenu(actionId, spec, value);
  switch (spec.type) {
    case 'boolean': {
      const option = createOption('Yes', CHECKED);
      const ticked = value === CHECKED ? { initial_options: [option] } : {};
      return { type: 'checkboxes', action_id: actionId, options: [option], ...ticked };
    }
    case 'integer':
      return createNumber(actionId, spec, value);
    case 'string':
    case 'path':
    case 'enum': {
      const maxLength = Math.min(spec.type === 'string' ? spec.maxLength : MAX_INPUT, MAX_INPUT);
      const initial = value === '' || value.length > maxLength ? {} : { initial_value: value };
      return { type: 'plain_text_input', action_id: actionId, max_length: maxLength, ...initial };
    }
  }
}

/** Slack takes no number to begin with that is out of the bounds. */
function createNumber(actionId: string, { min = 0, max }: IntegerParam, value: string): Element {
  const isFitting = /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= (max ?? Infinity);
  return {
    type: 'number_input',
    action_id: actionId,
    is_decimal_allowed: false,
    min_value: String(min), // 0 at the least: an argument never starts with "-"
    ...(max === undefined ? {} : { max_value: String(max) }),
    ...(isFitting ? { initial_value: value } : {}),
  };
}

function createMenu(actionId: string, spec: EnumParam, value: string): Element {
  const initial = spec.values.includes(value) ? { initial_option: createOption(value, value) } : {};
  if (spec.values.length > MAX_OPTIONS) {
    return { type: 'external_select', action_id: actionId, min_query_length: 0, ...initial };
  }
  const options = spec.values.map((one) => createOption(one, one));
  return { type: 'static_select', action_id: actionId, options, ...initial };
}

function defaultOf(spec: ParamSpec): string {
  return spec.default === undefined ? '' : String(spec.default);
}

function hintOf(spec: ParamSpec): string {
  const isTyped = spec.type !== 'boolean' && !isMenu(spec);
  const empty = isTyped && spec.default !== undefined ? `Left empty: ${String(spec.default)}.` : '';
  return [spec.description ?? '', describeRule(spec), empty].filter((part) => part !== '').join(' ');
}

function describeRule(spec: ParamSpec): string {
  switch (spec.type) {
    case 'boolean':
      return '';
    case 'enum':
      return isMenu(spec) ? '' : `One of ${spec.values.join(', ')}.`;
    case 'path':
      return `A path within ${spec.within.join(' or ')}.`;
    case 'integer':
      return `A whole number, ${spec.min ?? 0} ${spec.max === undefined ? 'or more' : `to ${spec.max}`}.`;
    case 'string':
      return spec.pattern === undefined ? `At most ${spec.maxLength} characters.` : describePattern(spec.pattern);
  }
}

function describePattern(pattern: string): string {
  const words = explainPattern(pattern);
  const shown = cut(pattern, MAX_PATTERN);
  return words === undefined ? `It must match ${shown} as a whole.` : `${words} (${shown}).`;
}
