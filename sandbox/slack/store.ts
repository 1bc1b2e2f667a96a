import { randomBytes } from 'node:crypto';
import { Journal } from './journal.ts';
import { BOT_ID, BOT_USER_ID, DEFAULT_CHANNELS, DEFAULT_PEOPLE, DEFAULT_USERGROUPS, TEAM_ID } from './model.ts';
import type {
  Json,
  RecordedCall,
  SlackChannel,
  SlackPerson,
  SlackUsergroup,
  StoredMessage,
  StoredView,
} from './model.ts';
import { Uploads } from './uploads.ts';

const MAX_CALLS = 5_000; // enough for a test to look back; a page left open for days must not grow

export interface StoreOptions {
  dataFile?: string | undefined;
  people?: readonly SlackPerson[] | undefined;
  channels?: readonly SlackChannel[] | undefined;
  /** Null: the workspace's plan has none. */
  usergroups?: readonly SlackUsergroup[] | null | undefined;
}

export type NewMessage = Pick<StoredMessage, 'channel' | 'user' | 'text'> &
  Partial<Pick<StoredMessage, 'blocks' | 'metadata' | 'thread_ts' | 'ephemeral_to' | 'files'>>;

/** What the workspace knows. Every change reaches the journal first and then each `onChange` listener. */
export class Store {
  readonly people = new Map<string, SlackPerson>();
  readonly uploads: Uploads;
  usergroups: Map<string, SlackUsergroup> | null = null;
  readonly #journal: Journal;
  readonly #channels = new Map<string, SlackChannel>();
  readonly #messages = new Map<string, StoredMessage>();
  readonly #views = new Map<string, StoredView>();
  readonly #earlierBlocks = new Map<string, Json[]>();
  readonly #calls: RecordedCall[] = [];
  readonly #listeners = new Set<() => void>();
  #lastMicros = 0;
  baseUrl = '';

  constructor(options: StoreOptions) {
    this.#journal = new Journal(options.dataFile);
    this.uploads = new Uploads(this.#journal);
    this.setUsergroups(options.usergroups === undefined ? DEFAULT_USERGROUPS : options.usergroups);
    for (const person of options.people ?? DEFAULT_PEOPLE) this.people.set(person.id, { team_id: TEAM_ID, ...person });
    this.people.set(BOT_USER_ID, {
      id: BOT_USER_ID,
      name: 'medic',
      real_name: 'Medic',
      is_bot: true,
      team_id: TEAM_ID,
    });
    // The configured ones first: the first channel is where a command is typed when nothing else is said.
    for (const channel of options.channels ?? DEFAULT_CHANNELS) this.#channels.set(channel.id, { ...channel });
    for (const channel of this.#journal.entries<SlackChannel>('channel:')) this.#channels.set(channel.id, channel);
    for (const message of this.#journal.entries<StoredMessage>('message:')) {
      this.#messages.set(keyOf(message.channel, message.ts), message);
      this.#lastMicros = Math.max(this.#lastMicros, Math.round(Number(message.ts) * 1e6));
    }
    for (const view of this.#journal.entries<StoredView>('view:')) this.#views.set(view.id, view);
  }

  /** Slack's timestamps are ids too: unique and growing, also over a restart and when the clock goes back. */
  nextTs(): string {
    this.#lastMicros = Math.max(Date.now() * 1000, this.#lastMicros + 1);
    const digits = String(this.#lastMicros);
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }

  /** Null: the plan has none. */
  setUsergroups(groups: readonly SlackUsergroup[] | null): void {
    this.usergroups = groups === null ? null : new Map(groups.map((group) => [group.id, group]));
  }

  setChannel(channel: SlackChannel): void {
    this.#channels.set(channel.id, channel);
    this.changed();
  }

  channel(id: string): SlackChannel | undefined {
    return this.#channels.get(id);
  }

  channels(): SlackChannel[] {
    return [...this.#channels.values()];
  }

  /** The direct message between the bot and a person; opened when first asked for. */
  openIm(user: string): SlackChannel {
    const id = `D${user.slice(1)}`;
    const known = this.#channels.get(id);
    if (known !== undefined) return known;
    const channel = { id, name: user, im_user: user };
    this.#channels.set(id, channel);
    this.#journal.set(`channel:${id}`, channel);
    this.changed();
    return channel;
  }

  /** In the order they were posted, private ones included. */
  allMessages(channel?: string): StoredMessage[] {
    const all = [...this.#messages.values()].filter((one) => channel === undefined || one.channel === channel);
    return all.sort((a, b) => Number(a.ts) - Number(b.ts));
  }

  message(channel: string, ts: string): StoredMessage | undefined {
    return this.#messages.get(keyOf(channel, ts));
  }

  addMessage(input: NewMessage): StoredMessage {
    const ts = this.nextTs();
    const message: StoredMessage = {
      ...input,
      ts,
      edits: 0,
      permalink: `${this.baseUrl}/archives/${input.channel}/p${ts.replace('.', '')}`,
      ...(input.user === BOT_USER_ID ? { bot_id: BOT_ID } : {}),
    };
    this.#save(message);
    return message;
  }

  editMessage(message: StoredMessage, change: Partial<StoredMessage>): StoredMessage {
    if (message.blocks !== undefined) this.#earlierBlocks.set(keyOf(message.channel, message.ts), message.blocks);
    const edited = {
      ...message,
      ...change,
      edits: message.edits + 1,
      edited: { user: message.user, ts: this.nextTs() },
    };
    this.#save(edited);
    return edited;
  }

  deleteMessage(message: StoredMessage): void {
    const key = keyOf(message.channel, message.ts);
    this.#journal.set(`message:${key}`, undefined);
    this.#messages.delete(key);
    this.changed();
  }

  /** The blocks as they were before the last edit: what a slow client still shows. */
  earlierBlocks(message: StoredMessage): Json[] {
    return this.#earlierBlocks.get(keyOf(message.channel, message.ts)) ?? [];
  }

  views(): StoredView[] {
    return [...this.#views.values()];
  }

  view(id: string): StoredView | undefined {
    return this.#views.get(id);
  }

  saveView(view: Omit<StoredView, 'hash'>): StoredView {
    const saved = { ...view, hash: `${String(Math.floor(Date.now() / 1000))}.${randomBytes(4).toString('hex')}` };
    this.#journal.set(`view:${view.id}`, saved);
    this.#views.set(view.id, saved);
    this.changed();
    return saved;
  }

  /** What a person entered; the view stays the same one, so its hash does too. */
  keepValues(view: StoredView, values: StoredView['values']): StoredView {
    const kept = { ...view, values };
    this.#journal.set(`view:${view.id}`, kept);
    this.#views.set(view.id, kept);
    this.changed();
    return kept;
  }

  removeView(id: string): void {
    this.#journal.set(`view:${id}`, undefined);
    this.#views.delete(id);
    this.changed();
  }

  calls(): RecordedCall[] {
    return [...this.#calls];
  }

  record(call: RecordedCall): void {
    this.#calls.push(call);
    if (this.#calls.length > MAX_CALLS) this.#calls.shift();
    this.changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  close(): void {
    this.#listeners.clear();
    this.#journal.close();
  }

  #save(message: StoredMessage): void {
    const key = keyOf(message.channel, message.ts);
    this.#journal.set(`message:${key}`, message);
    this.#messages.set(key, message);
    this.changed();
  }
}

export function newId(prefix: string): string {
  return `${prefix}0${randomBytes(5).toString('hex').toUpperCase()}`;
}

function keyOf(channel: string, ts: string): string {
  return `${channel}:${ts}`;
}
