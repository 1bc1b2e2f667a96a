import { elementsOf } from './block-ids.ts';
import type { FoundElement } from './block-ids.ts';
import type { Dispatcher } from './delivery/dispatcher.ts';
import { postAnswer } from './delivery/response-urls.ts';
import type { ResponseUrls } from './delivery/response-urls.ts';
import type { Triggers } from './delivery/triggers.ts';
import { mergeValues, missingFields, settleSubmission } from './forms.ts';
import { BOT_USER_ID, isJson, textOf } from './model.ts';
import type { DeliveryOutcome, Json, SlackPerson, StoredMessage, StoredView } from './model.ts';
import * as payloads from './payloads.ts';
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
}

export interface ViewClickInput {
  user: string;
  viewId: string;
  actionId: string;
  value?: string;
  selected?: unknown;
}

export interface SuggestionInput {
  user: string;
  actionId: string;
  value: string;
  viewId?: string;
  channel?: string;
  ts?: string;
}

/** What a person does in the workspace. Each resolves with what Slack would show; bad arguments of the caller throw. */
export class People {
  readonly #store: Store;
  readonly #dispatcher: Dispatcher;
  readonly #triggers: Triggers;
  readonly #responseUrls: ResponseUrls;

  constructor(parts: { store: Store; dispatcher: Dispatcher; triggers: Triggers; responseUrls: ResponseUrls }) {
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
    const person = this.#person(input.user);
    const channel = this.#channelFor(person, input.channel ?? this.#store.channels()[0]?.id ?? '');
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

  async click(input: ClickInput): Promise<DeliveryOutcome> {
    const person = this.#person(input.user);
    const message = this.#store.message(input.channel, input.ts);
    if (message === undefined || !this.#sees(person, message)) return notThere('message_not_found');
    const blocks = input.asBeforeLastEdit === true ? this.#store.earlierBlocks(message) : (message.blocks ?? []);
    const found = pick(blocks, input);
    if (found === undefined) return notThere('element_not_found');
    const responseUrl = this.#responseUrls.mint({ user: person.id, channel: message.channel, ts: message.ts });
    const action = this.#actionOf(found, input);
    const triggerId = this.#triggers.mint(person.id);
    const payload = payloads.messageClickPayload(this.#store, { person, message, action, triggerId, responseUrl });
    return this.#dispatcher.deliver('interactive', payload);
  }

  /** A button, menu or dispatching input of a modal or of the Home tab. */
  async clickInView(input: ViewClickInput): Promise<DeliveryOutcome> {
    const person = this.#person(input.user);
    const view = this.#viewOf(person, input.viewId);
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
    const person = this.#person(input.user);
    const view = this.#viewOf(person, input.viewId);
    if (view?.type !== 'modal') return notThere('view_not_found');
    const values = mergeValues(view, input.values);
    const errors = missingFields(view, values);
    if (Object.keys(errors).length > 0) {
      return {
        acknowledged: false,
        ms: 0,
        body: { response_action: 'errors', errors },
        error: 'missing_required_fields',
      };
    }
    const filled = this.#store.saveView({ ...view, values });
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
    const person = this.#person(input.user);
    const view = this.#viewOf(person, input.viewId);
    if (view?.type !== 'modal') return notThere('view_not_found');
    this.#store.removeView(view.id);
    if (!view.notify_on_close) return { acknowledged: true, ms: 0, body: '' };
    const triggerId = this.#triggers.mint(person.id);
    return this.#dispatcher.deliver('interactive', payloads.viewPayload('view_closed', { person, view, triggerId }));
  }

  async openHome(user: string): Promise<DeliveryOutcome> {
    const person = this.#person(user);
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
    const person = this.#person(input.user);
    const view = input.viewId === undefined ? undefined : this.#viewOf(person, input.viewId);
    const message = this.#store.message(input.channel ?? '', input.ts ?? '');
    const found = pick(view?.blocks ?? message?.blocks ?? [], { actionId: input.actionId });
    if (found === undefined) return notThere('element_not_found');
    const blockId = textOf(found.block['block_id']);
    const payload = payloads.suggestionPayload({
      person,
      blockId,
      actionId: input.actionId,
      value: input.value,
      view,
      message,
    });
    return this.#dispatcher.deliver('interactive', payload);
  }

  /** An ordinary message of a person; the app is not told, as it does not ask for messages. */
  say(input: { user: string; channel: string; text: string }): StoredMessage {
    const person = this.#person(input.user);
    this.#channelFor(person, input.channel);
    const text = input.text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return this.#store.addMessage({ channel: input.channel, user: person.id, text });
  }

  #person(id: string): SlackPerson {
    const person = this.#store.people.get(id);
    if (person === undefined || person.deleted === true || person.id === BOT_USER_ID)
      throw new Error(`There is no person ${id} in this workspace.`);
    return person;
  }

  /** The channel's id, if that person is in it: everybody is in every channel, but not in other people's direct messages. */
  #channelFor(person: SlackPerson, id: string): string {
    const channel = this.#store.channel(id);
    if (channel === undefined || (channel.im_user ?? person.id) !== person.id) {
      throw new Error(`${person.id} is in no channel ${id}.`);
    }
    return id;
  }

  #sees(person: SlackPerson, message: StoredMessage): boolean {
    const owner = message.ephemeral_to ?? this.#store.channel(message.channel)?.im_user;
    return owner === undefined || owner === person.id;
  }

  #viewOf(person: SlackPerson, viewId: string): StoredView | undefined {
    const view = this.#store.view(viewId);
    return view?.user === person.id ? view : undefined;
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

  #remember(view: StoredView, { block, element }: FoundElement, input: ViewClickInput): StoredView {
    if (element['type'] === 'button' || element['type'] === 'overflow') return view;
    const [blockId, actionId] = [textOf(block['block_id']), textOf(element['action_id'])];
    const state = stateOf(element, input.selected ?? input.value ?? null);
    const values = { ...view.values, [blockId]: { ...view.values[blockId], [actionId]: state } };
    return this.#store.saveView({ ...view, values });
  }
}

function pick(blocks: Json[], wanted: { actionId: string; value?: string }): FoundElement | undefined {
  const same = elementsOf(blocks).filter(({ element }) => element['action_id'] === wanted.actionId);
  return same.find(({ element }) => element['value'] === wanted.value) ?? same[0];
}

function notThere(error: string): DeliveryOutcome {
  return { acknowledged: false, ms: 0, body: '', error };
}
