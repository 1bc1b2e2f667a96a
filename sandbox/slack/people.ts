import { elementsOf } from './block-ids.ts';
import type { FoundElement } from './block-ids.ts';
import type { Dispatcher } from './delivery/dispatcher.ts';
import { postAnswer } from './delivery/response-urls.ts';
import type { ResponseUrls } from './delivery/response-urls.ts';
import type { Triggers } from './delivery/triggers.ts';
import type { InstalledApp } from './app-manifest.ts';
import { fieldErrors, mergeValues, settleSubmission, settleSuggestion } from './forms.ts';
import { channelFor, messageFor, notThere, personOf, viewFor } from './members.ts';
import { isJson, textOf } from './model.ts';
import type { DeliveryOutcome, Json, StoredMessage, StoredView } from './model.ts';
import * as payloads from './payloads.ts';
import { useGlobalShortcut, useMessageShortcut } from './shortcuts.ts';
import { newId } from './store.ts';
import type { Store } from './store.ts';
import { stateOf } from './view-state.ts';
import { Refusal } from './web-api/refusal.ts';

export interface ClickInput {
  user: string;
  channel: string;
  ts: string;
  actionId: string;
  /** Which of several buttons with that action id; one that stands nowhere is sent all the same, as a forged client could. */
  value?: string;
  selected?: unknown;
  /** The click of a person whose page still shows the message as it was before its last edit. */
  asBeforeLastEdit?: boolean;
  /** The same again plays a click that is delivered twice. */
  triggerId?: string;
}

export interface ViewClickInput {
  user: string;
  viewId: string;
  actionId: string;
  value?: string;
  selected?: unknown;
  /** What else stands in the form by now, by block and action: Slack sends it with every click in a view. */
  values?: Record<string, Record<string, unknown>>;
}

export interface MessageShortcutInput {
  user: string;
  channel: string;
  ts: string;
  callbackId: string;
  triggerId?: string;
}

export interface SuggestionInput {
  user: string;
  actionId: string;
  value: string;
  viewId?: string;
  channel?: string;
  ts?: string;
}

export interface PeopleParts {
  store: Store;
  dispatcher: Dispatcher;
  triggers: Triggers;
  responseUrls: ResponseUrls;
  /** Absent: the app has every command, shortcut and event. */
  app: InstalledApp | undefined;
}

/** What a person does in the workspace. Each resolves with what Slack would show; bad arguments of the caller throw. */
export class People {
  readonly #parts: PeopleParts;
  readonly #store: Store;
  readonly #dispatcher: Dispatcher;
  readonly #triggers: Triggers;
  readonly #responseUrls: ResponseUrls;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#dispatcher = parts.dispatcher;
    this.#triggers = parts.triggers;
    this.#responseUrls = parts.responseUrls;
  }

  async slashCommand(input: {
    user: string;
    channel?: string;
    command: string;
    text: string;
    triggerId?: string;
  }): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, input.user);
    const channel = channelFor(this.#store, person, input.channel ?? this.#store.channels()[0]?.id ?? '');
    if (this.#parts.app?.commands.has(input.command) === false) return notThere('command_not_found');
    const payload = payloads.commandPayload(this.#store, {
      person,
      channel,
      command: input.command,
      text: input.text,
      triggerId: this.#triggers.mint(person.id, input.triggerId),
      responseUrl: this.#responseUrls.mint({ user: person.id, channel }),
    });
    const outcome = await this.#dispatcher.deliver('command', payload);
    return outcome.acknowledged ? this.#postAck(outcome, person.id, channel) : outcome;
  }

  shortcut(input: { user: string; callbackId: string; triggerId?: string }): Promise<DeliveryOutcome> {
    return useGlobalShortcut(this.#parts, input);
  }

  messageShortcut(input: MessageShortcutInput): Promise<DeliveryOutcome> {
    return useMessageShortcut(this.#parts, input);
  }

  async click(input: ClickInput): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, input.user);
    const message = messageFor(this.#store, person, input);
    if (message === undefined) return notThere('message_not_found');
    const blocks = input.asBeforeLastEdit === true ? this.#store.earlierBlocks(message) : (message.blocks ?? []);
    const found = pick(blocks, input);
    if (found === undefined) return notThere('element_not_found');
    const responseUrl = this.#responseUrls.mint({ user: person.id, channel: message.channel, ts: message.ts });
    const action = this.#actionOf(found, input);
    const triggerId = this.#triggers.mint(person.id, input.triggerId);
    const payload = payloads.messageClickPayload(this.#store, { person, message, action, triggerId, responseUrl });
    return this.#dispatcher.deliver('interactive', payload);
  }

  /** A button, menu or dispatching input of a modal or of the Home tab. */
  async clickInView(input: ViewClickInput): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, input.user);
    const view = viewFor(this.#store, person, input.viewId);
    const found = view === undefined ? undefined : pick(view.blocks, input);
    if (view === undefined || found === undefined) return notThere('element_not_found');
    const action = this.#actionOf(found, input);
    const entered = this.#remember(view, found, input);
    const triggerId = this.#triggers.mint(person.id);
    return this.#dispatcher.deliver(
      'interactive',
      payloads.viewClickPayload({ person, view: entered, action, triggerId }),
    );
  }

  async submitView(input: {
    user: string;
    viewId: string;
    values: Record<string, Record<string, unknown>>;
  }): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, input.user);
    const view = viewFor(this.#store, person, input.viewId);
    if (view?.type !== 'modal') return notThere('view_not_found');
    const values = mergeValues(view, input.values);
    const errors = fieldErrors(view, values);
    if (Object.keys(errors).length > 0) {
      return {
        acknowledged: false,
        ms: 0,
        body: { response_action: 'errors', errors },
        error: 'missing_required_fields',
      };
    }
    const filled = this.#store.keepValues(view, values);
    const payload = payloads.viewPayload('view_submission', {
      person,
      view: filled,
      triggerId: this.#triggers.mint(person.id),
    });
    const outcome = await this.#dispatcher.deliver('interactive', payload);
    return outcome.acknowledged ? settleSubmission(this.#store, filled, outcome) : outcome;
  }

  /** The person closes a modal; the app hears of it where it asked to. */
  async closeView(input: { user: string; viewId: string }): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, input.user);
    const view = viewFor(this.#store, person, input.viewId);
    if (view?.type !== 'modal') return notThere('view_not_found');
    this.#store.removeView(view.id);
    if (!view.notify_on_close) return { acknowledged: true, ms: 0, body: '' };
    const triggerId = this.#triggers.mint(person.id);
    return this.#dispatcher.deliver('interactive', payloads.viewPayload('view_closed', { person, view, triggerId }));
  }

  async openHome(user: string): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, user);
    const { app } = this.#parts;
    if (app !== undefined && !(app.isHomeEnabled && app.events.has('app_home_opened'))) return notThere('not_enabled');
    const home = this.#store.views().find((view) => view.type === 'home' && view.user === user);
    const eventTs = this.#store.nextTs();
    const event: Json = {
      type: 'app_home_opened',
      user: person.id,
      channel: this.#store.openIm(person.id).id,
      tab: 'home',
      event_ts: eventTs,
      ...(home === undefined ? {} : { view: { id: home.id, type: 'home', hash: home.hash } }),
    };
    return this.#dispatcher.deliver('event', payloads.eventPayload(event, newId('Ev')));
  }

  /** The options an app offers for what a person typed into an external menu. */
  async suggest(input: SuggestionInput): Promise<DeliveryOutcome> {
    const person = personOf(this.#store, input.user);
    const view = input.viewId === undefined ? undefined : viewFor(this.#store, person, input.viewId);
    const message = this.#store.message(input.channel ?? '', input.ts ?? '');
    const found = pick(view?.blocks ?? message?.blocks ?? [], { actionId: input.actionId });
    if (found === undefined) return notThere('element_not_found');
    const minLength = Number(found.element['min_query_length'] ?? 3); // Slack's default
    if (input.value.length < minLength) return notThere('query_too_short');
    const blockId = textOf(found.block['block_id']);
    const payload = payloads.suggestionPayload({
      person,
      blockId,
      actionId: input.actionId,
      value: input.value,
      view,
      message,
    });
    return settleSuggestion(await this.#dispatcher.deliver('interactive', payload));
  }

  /** An ordinary message of a person; the app is not told, as it does not ask for messages. */
  say(input: { user: string; channel: string; text: string }): StoredMessage {
    const person = personOf(this.#store, input.user);
    channelFor(this.#store, person, input.channel);
    const text = input.text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return this.#store.addMessage({ channel: input.channel, user: person.id, text });
  }

  #postAck(outcome: DeliveryOutcome, user: string, channel: string): DeliveryOutcome {
    const body = typeof outcome.body === 'string' ? { text: outcome.body } : outcome.body;
    if (!isJson(body) || (textOf(body['text']) === '' && body['blocks'] === undefined)) return outcome;
    try {
      postAnswer(this.#store, { user, channel, body });
      return outcome;
    } catch (error) {
      if (error instanceof Refusal) return { ...outcome, error: 'invalid_command_response', body: error.extra };
      throw error;
    }
  }

  #actionOf({ block, element }: FoundElement, input: { value?: string; selected?: unknown }): Json {
    const type = textOf(element['type']);
    const base: Json = {
      type,
      action_id: element['action_id'],
      block_id: block['block_id'],
      action_ts: this.#store.nextTs(),
    };
    if (type !== 'button') return { ...base, ...stateOf(element, input.selected ?? input.value ?? null) };
    const value = input.value ?? element['value'];
    return {
      ...base,
      text: element['text'],
      ...(value === undefined ? {} : { value }),
      ...(element['style'] === undefined ? {} : { style: element['style'] }),
    };
  }

  /** What the person entered so far, the element that was used included. */
  #remember(view: StoredView, { block, element }: FoundElement, input: ViewClickInput): StoredView {
    const values = mergeValues(view, input.values ?? {});
    if (element['type'] === 'button' || element['type'] === 'overflow') return this.#store.keepValues(view, values);
    const [blockId, actionId] = [textOf(block['block_id']), textOf(element['action_id'])];
    const state = stateOf(element, input.selected ?? input.value ?? null);
    return this.#store.keepValues(view, { ...values, [blockId]: { ...values[blockId], [actionId]: state } });
  }
}

function pick(blocks: Json[], wanted: { actionId: string; value?: string }): FoundElement | undefined {
  const same = elementsOf(blocks).filter(({ element }) => element['action_id'] === wanted.actionId);
  return same.find(({ element }) => element['value'] === wanted.value) ?? same[0];
}
