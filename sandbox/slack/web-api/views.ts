import { judgeView } from '../block-kit/surfaces.ts';
import { elementsOf, withIds } from '../block-ids.ts';
import { initialState, optionsIn } from '../view-state.ts';
import { isJson, listOf, textOf } from '../model.ts';
import type { Json, StoredView } from '../model.ts';
import { newId } from '../store.ts';
import type { Store } from '../store.ts';
import { TIER_4 } from './method.ts';
import type { Method, MethodContext } from './method.ts';
import { Refusal, refuseBlocks } from './refusal.ts';
import { showView } from './shapes.ts';

const MAX_STACK = 3; // docs.slack.dev, modals: up to three views at a time

export const VIEW_METHODS: Record<string, Method> = {
  'views.open': { scopes: [], perMinute: TIER_4, run: openView },
  'views.push': { scopes: [], perMinute: TIER_4, run: pushView },
  'views.update': { scopes: [], perMinute: TIER_4, run: updateView },
  'views.publish': { scopes: [], perMinute: TIER_4, run: publishView },
};

/** Puts a new modal in front of a person; `below` is the view it is stacked on. */
export function addModal(store: Store, view: Json, user: string, below?: StoredView): StoredView {
  const id = newId('V');
  return store.saveView({
    ...contentOf(store, view, undefined),
    id,
    user,
    root_view_id: below?.root_view_id ?? id,
    previous_view_id: below?.id ?? null,
  });
}

/** The same view with new content. What was entered stays where block and action ids stay. */
export function replaceView(store: Store, old: StoredView, view: Json): StoredView {
  const { id, user, root_view_id, previous_view_id } = old;
  return store.saveView({ ...contentOf(store, view, old), id, user, root_view_id, previous_view_id });
}

/** The modals of a person, the one on top last. */
export function modalsOf(store: Store, user: string): StoredView[] {
  return store.views().filter((view) => view.type === 'modal' && view.user === user);
}

type ViewContent = Omit<StoredView, 'hash' | 'id' | 'user' | 'root_view_id' | 'previous_view_id'>;

function contentOf(store: Store, view: Json, old: StoredView | undefined): ViewContent {
  const blocks = withIds(listOf(view['blocks']));
  const externalId = textOf(view['external_id']);
  if (externalId !== '' && store.views().some((other) => other.external_id === externalId && other.id !== old?.id)) {
    throw new Refusal('duplicate_external_id');
  }
  return {
    type: view['type'] === 'home' ? 'home' : 'modal',
    callback_id: textOf(view['callback_id']),
    external_id: externalId,
    private_metadata: textOf(view['private_metadata']),
    ...(isJson(view['title']) ? { title: view['title'] } : {}),
    submit: isJson(view['submit']) ? view['submit'] : null,
    close: isJson(view['close']) ? view['close'] : null,
    blocks,
    clear_on_close: view['clear_on_close'] === true,
    notify_on_close: view['notify_on_close'] === true,
    values: keepEntered(blocks, old),
  };
}

function keepEntered(blocks: Json[], old: StoredView | undefined): StoredView['values'] {
  const values = initialState(blocks);
  for (const { block, element } of elementsOf(blocks)) {
    const [blockId, actionId] = [textOf(block['block_id']), textOf(element['action_id'])];
    const entered = old?.values[blockId]?.[actionId];
    const own = values[blockId];
    if (entered !== undefined && own !== undefined && canHold(element, entered)) own[actionId] = entered;
  }
  return values;
}

/** Whether what was entered fits the element as it is now: the same kind, and still one of its options. */
function canHold(element: Json, entered: Json): boolean {
  if (entered['type'] !== element['type']) return false;
  const options = optionsIn(element).map((option) => option['value']);
  if (options.length === 0) return true;
  const chosen = [entered['selected_option'], ...listOf(entered['selected_options'])].filter(isJson);
  return chosen.every((option) => options.includes(option['value']));
}

function openView({ store, triggers, args }: MethodContext): Json {
  refuseBlocks(judgeView(args['view'], 'modal'));
  const user = triggers.exchange(textOf(args['trigger_id']));
  // A person sees one stack of modals at a time; opening another closes what stands there.
  for (const view of modalsOf(store, user)) store.removeView(view.id);
  return { view: showView(addModal(store, args['view'] as Json, user)) };
}

function pushView({ store, triggers, args }: MethodContext): Json {
  refuseBlocks(judgeView(args['view'], 'modal'));
  const user = triggers.exchange(textOf(args['trigger_id']));
  const stack = modalsOf(store, user);
  const top = stack.at(-1);
  if (top === undefined) throw new Refusal('not_found');
  if (stack.length >= MAX_STACK) throw new Refusal('push_limit_reached');
  return { view: showView(addModal(store, args['view'] as Json, user, top)) };
}

function updateView({ store, args }: MethodContext): Json {
  const externalId = textOf(args['external_id']);
  const view =
    store.view(textOf(args['view_id'])) ??
    store.views().find((one) => externalId !== '' && one.external_id === externalId);
  if (view === undefined) throw new Refusal('not_found');
  refuseBlocks(judgeView(args['view'], view.type));
  if (args['hash'] !== undefined && args['hash'] !== view.hash) throw new Refusal('hash_conflict');
  return { view: showView(replaceView(store, view, args['view'] as Json)) };
}

function publishView({ store, args }: MethodContext): Json {
  const person = store.people.get(textOf(args['user_id']));
  if (person === undefined) throw new Refusal('user_not_found');
  refuseBlocks(judgeView(args['view'], 'home'));
  const home = store.views().find((view) => view.type === 'home' && view.user === person.id);
  if (home !== undefined) {
    if (args['hash'] !== undefined && args['hash'] !== home.hash) throw new Refusal('hash_conflict');
    return { view: showView(replaceView(store, home, args['view'] as Json)) };
  }
  const id = newId('V');
  const content = contentOf(store, args['view'] as Json, undefined);
  return {
    view: showView(store.saveView({ ...content, id, user: person.id, root_view_id: id, previous_view_id: null })),
  };
}
