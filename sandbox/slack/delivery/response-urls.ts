import { randomBytes } from 'node:crypto';
import { BOT_USER_ID, isJson } from '../model.ts';
import type { Json, StoredMessage } from '../model.ts';
import type { Store } from '../store.ts';
import { checkContent } from '../web-api/chat.ts';
import { Refusal } from '../web-api/refusal.ts';

const MAX_USES = 5;
const LIFETIME_MS = 30 * 60_000;

interface ResponseUrl {
  user: string;
  channel: string;
  /** The message that was clicked; what replace_original and delete_original mean. */
  ts: string | undefined;
  at: number;
  uses: number;
}

/** The answers an app may still give after its acknowledgement: five, within 30 minutes, private unless it says otherwise. */
export class ResponseUrls {
  readonly #known = new Map<string, ResponseUrl>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  mint(input: { user: string; channel: string; ts?: string }): string {
    for (const [old, entry] of this.#known) if (Date.now() - entry.at > LIFETIME_MS) this.#known.delete(old);
    const id = randomBytes(12).toString('hex');
    this.#known.set(id, { user: input.user, channel: input.channel, ts: input.ts, at: Date.now(), uses: 0 });
    return `${this.#store.baseUrl}/response/${id}`;
  }

  /** Slack's status and body for a POST to it. */
  use(id: string, body: unknown): { status: number; body: Json } {
    const entry = this.#known.get(id);
    if (entry === undefined || Date.now() - entry.at > LIFETIME_MS)
      return { status: 404, body: { ok: false, error: 'expired_url' } };
    if (entry.uses >= MAX_USES) return { status: 404, body: { ok: false, error: 'used_url' } };
    if (!isJson(body)) return { status: 400, body: { ok: false, error: 'invalid_payload' } };
    entry.uses += 1;
    try {
      this.#apply(entry, body);
      return { status: 200, body: { ok: true } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: 400, body: { ok: false, error: error.code, ...error.extra } };
    }
  }

  #apply(entry: ResponseUrl, body: Json): void {
    const original = entry.ts === undefined ? undefined : this.#store.message(entry.channel, entry.ts);
    if (body['delete_original'] === true) {
      if (original !== undefined) this.#store.deleteMessage(original);
      return;
    }
    if (body['replace_original'] === true && original !== undefined) {
      this.#store.editMessage(original, { blocks: [], ...checkContent(body) });
      return;
    }
    postAnswer(this.#store, { user: entry.user, channel: entry.channel, body });
  }
}

/** A message that answers a command or click: only for the person, unless `response_type` is `in_channel`. */
export function postAnswer(store: Store, answer: { user: string; channel: string; body: Json }): StoredMessage {
  const isPublic = answer.body['response_type'] === 'in_channel';
  return store.addMessage({
    channel: answer.channel,
    user: BOT_USER_ID,
    ...checkContent(answer.body),
    ...(isPublic ? {} : { ephemeral_to: answer.user }),
  });
}
