import { judgeView } from './block-kit/surfaces.ts';
import { elementsOf } from './block-ids.ts';
import { isJson, listOf, textOf } from './model.ts';
import type { DeliveryOutcome, StoredView } from './model.ts';
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

/** What Slack's own client checks before it sends a form. */
export function missingFields(view: StoredView, values: ViewValues): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const block of listOf(view.blocks).filter((one) => one['type'] === 'input')) {
    const element = isJson(block['element']) ? block['element'] : {};
    const blockId = textOf(block['block_id']);
    const state = values[blockId]?.[textOf(element['action_id'])];
    const text = textOf(state?.['value']);
    if (isEmptyState(state)) {
      if (block['optional'] !== true) errors[blockId] = 'Please complete this required field.';
    } else if (text !== '' && text.length > Number(element['max_length'] ?? Infinity)) {
      errors[blockId] = `This must be at most ${String(element['max_length'])} characters.`;
    } else if (text !== '' && text.length < Number(element['min_length'] ?? 0)) {
      errors[blockId] = `This must be at least ${String(element['min_length'])} characters.`;
    }
  }
  return errors;
}
