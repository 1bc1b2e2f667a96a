import { checkOptionGroups, checkOptions } from './block-kit/objects.ts';
import { Problems } from './block-kit/problems.ts';
import { judgeView } from './block-kit/surfaces.ts';
import { elementsOf } from './block-ids.ts';
import { isJson, listOf, textOf } from './model.ts';
import type { DeliveryOutcome, Json, StoredView } from './model.ts';
import type { Store } from './store.ts';
import { isEmptyState, stateOf } from './view-state.ts';
import type { ViewValues } from './view-state.ts';
import { addModal, modalsOf, replaceView } from './web-api/views.ts';

/** Does what the app answered to a submitted form: close it, show errors, another view, or clear the stack. */
export function settleSubmission(store: Store, view: StoredView, outcome: DeliveryOutcome): DeliveryOutcome {
  const body = isJson(outcome.body) ? outcome.body : {};
  switch (body['response_action']) {
    case undefined:
      store.removeView(view.id);
      return outcome;
    case 'errors':
      return isErrorAnswer(view, body['errors']) ? outcome : { ...outcome, error: 'invalid_response_action' };
    case 'update':
    case 'push': {
      const verdict = judgeView(body['view'], 'modal');
      if (verdict.error !== undefined || !isJson(body['view'])) {
        return { ...outcome, error: 'invalid_response_action', body: { ...body, problems: verdict.messages } };
      }
      if (body['response_action'] === 'update') replaceView(store, view, body['view']);
      else addModal(store, body['view'], view.user, view);
      return outcome;
    }
    case 'clear':
      for (const other of modalsOf(store, view.user)) store.removeView(other.id);
      return outcome;
    default:
      return { ...outcome, error: 'invalid_response_action' };
  }
}

/** Errors must be sentences for input blocks that this view has. */
function isErrorAnswer(view: StoredView, errors: unknown): boolean {
  if (!isJson(errors) || Object.keys(errors).length === 0) return false;
  const inputs = view.blocks.filter((block) => block['type'] === 'input').map((block) => textOf(block['block_id']));
  return Object.entries(errors).every(
    ([block, text]) => inputs.includes(block) && typeof text === 'string' && text !== '',
  );
}

/** What a view holds after a person entered something. */
export function mergeValues(view: StoredView, entered: Record<string, Record<string, unknown>>): ViewValues {
  const values: ViewValues = { ...view.values };
  for (const { block, element } of elementsOf(view.blocks)) {
    const [blockId, actionId] = [textOf(block['block_id']), textOf(element['action_id'])];
    const value = entered[blockId]?.[actionId];
    if (value !== undefined) values[blockId] = { ...values[blockId], [actionId]: stateOf(element, value) };
  }
  return values;
}

/** What Slack's own client checks before it sends a form: a sentence for each block that is not fine. */
export function fieldErrors(view: StoredView, values: ViewValues): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const block of listOf(view.blocks).filter((one) => one['type'] === 'input')) {
    const element = isJson(block['element']) ? block['element'] : {};
    const blockId = textOf(block['block_id']);
    const state = values[blockId]?.[textOf(element['action_id'])];
    const error = isEmptyState(state)
      ? block['optional'] !== true && 'Please complete this required field.'
      : wrongValue(element, state ?? {});
    if (error !== false && error !== undefined) errors[blockId] = error;
  }
  return errors;
}

function wrongValue(element: Json, state: Json): string | undefined {
  const text = textOf(state['value']);
  const chosen = Array.isArray(state['selected_options']) ? state['selected_options'].length : 0;
  if (chosen > Number(element['max_selected_items'] ?? Infinity))
    return `Choose at most ${String(element['max_selected_items'])}.`;
  if (element['type'] === 'number_input') return wrongNumber(element, text);
  if (text.length > Number(element['max_length'] ?? Infinity))
    return `This must be at most ${String(element['max_length'])} characters.`;
  if (text !== '' && text.length < Number(element['min_length'] ?? 0))
    return `This must be at least ${String(element['min_length'])} characters.`;
  return undefined;
}

function wrongNumber(element: Json, text: string): string | undefined {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) return 'Please enter a number.';
  if (element['is_decimal_allowed'] === false && !/^-?\d+$/.test(text)) return 'Please enter a whole number.';
  if (number < Number(element['min_value'] ?? -Infinity))
    return `This must be at least ${String(element['min_value'])}.`;
  if (number > Number(element['max_value'] ?? Infinity)) return `This must be at most ${String(element['max_value'])}.`;
  return undefined;
}

/** An app's answer to a search is shown only where it is a list of options or of groups; otherwise Slack shows none. */
export function settleSuggestion(outcome: DeliveryOutcome): DeliveryOutcome {
  if (!outcome.acknowledged) return outcome;
  const problems = new Problems();
  const body = isJson(outcome.body) ? outcome.body : {};
  const form = { plain: true, min: 0, max: 100 };
  if (body['option_groups'] === undefined) checkOptions(problems, body['options'], '/options', form);
  else checkOptionGroups(problems, body['option_groups'], '/option_groups');
  if (problems.messages.length === 0) return outcome;
  return { ...outcome, error: 'invalid_options', body: { problems: problems.messages } };
}
