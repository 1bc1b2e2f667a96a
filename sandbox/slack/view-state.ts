import { elementsOf } from './block-ids.ts';
import { isJson, listOf, textOf } from './model.ts';
import type { Json } from './model.ts';

export type ViewValues = Record<string, Record<string, Json>>;

const STATELESS = ['button', 'overflow', 'workflow_button'];

const SINGLE: Record<string, string> = {
  users_select: 'selected_user',
  conversations_select: 'selected_conversation',
  channels_select: 'selected_channel',
  datepicker: 'selected_date',
  timepicker: 'selected_time',
};

const MULTI: Record<string, string> = {
  multi_users_select: 'selected_users',
  multi_conversations_select: 'selected_conversations',
  multi_channels_select: 'selected_channels',
};

/** What a form holds before anybody touched it. */
export function initialState(blocks: Json[]): ViewValues {
  const values: ViewValues = {};
  for (const { block, element } of elementsOf(blocks)) {
    if (STATELESS.includes(textOf(element['type']))) continue;
    const blockId = textOf(block['block_id']);
    values[blockId] = { ...values[blockId], [textOf(element['action_id'])]: stateOf(element, initialOf(element)) };
  }
  return values;
}

/**
 * What a payload says about one element. `entered` is a string (text, date, option value, person), a list of such, an
 * option, or null; an object that already is a state passes as it is.
 */
export function stateOf(element: Json, entered: unknown): Json {
  const type = textOf(element['type']);
  if (
    isJson(entered) &&
    Object.keys(entered).some((key) => (key === 'value' ? type.endsWith('_input') : key.startsWith('selected_')))
  ) {
    return { ...entered, type };
  }
  if (type === 'datetimepicker') return { type, selected_date_time: entered === null ? null : Number(entered) };
  const single = SINGLE[type];
  if (single !== undefined) return { type, [single]: entered };
  const multi = MULTI[type];
  if (multi !== undefined) return { type, [multi]: listed(entered) };
  if (type === 'checkboxes' || type.startsWith('multi_')) {
    return { type, selected_options: listed(entered).map((one) => optionOf(element, one)) };
  }
  if (type === 'radio_buttons' || type === 'overflow' || type.endsWith('_select')) {
    return { type, selected_option: entered === null ? null : optionOf(element, entered) };
  }
  return { type, value: entered === '' ? null : entered };
}

/** Whether nothing was entered. */
export function isEmptyState(state: Json | undefined): boolean {
  return Object.entries(state ?? {})
    .filter(([key]) => key !== 'type')
    .every(
      ([, value]) =>
        value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0),
    );
}

export function optionsIn(element: Json): Json[] {
  return [
    ...listOf(element['options']),
    ...listOf(element['option_groups']).flatMap((group) => listOf(group['options'])),
  ];
}

function optionOf(element: Json, entered: unknown): Json {
  if (isJson(entered)) return entered;
  const value = String(entered);
  return (
    optionsIn(element).find((option) => option['value'] === value) ?? {
      text: { type: 'plain_text', text: value },
      value,
    }
  );
}

function listed(entered: unknown): unknown[] {
  if (Array.isArray(entered)) return entered;
  return entered === null || entered === undefined ? [] : [entered];
}

function initialOf(element: Json): unknown {
  const key = Object.keys(element).find((name) => name.startsWith('initial_'));
  return key === undefined ? null : element[key];
}
