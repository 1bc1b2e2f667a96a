import { randomBytes } from 'node:crypto';
import { Refusal } from '../web-api/refusal.ts';

const LIFETIME_MS = 3_000;
const KEPT_MS = 60_000; // so that a late one is told "expired" and not "unknown"

interface Trigger {
  user: string;
  at: number;
  used: boolean;
}

/** Trigger ids: three seconds, one modal each. */
export class Triggers {
  readonly #known = new Map<string, Trigger>();

  /** A new one, or the given one: a repeated delivery carries the same id and gets no new time. */
  mint(user: string, id = `${String(Date.now())}.0.${randomBytes(8).toString('hex')}`): string {
    for (const [old, trigger] of this.#known) if (Date.now() - trigger.at > KEPT_MS) this.#known.delete(old);
    if (!this.#known.has(id)) this.#known.set(id, { user, at: Date.now(), used: false });
    return id;
  }

  /** The person it stands for. Throws a Refusal. */
  exchange(id: string): string {
    const trigger = this.#known.get(id);
    if (trigger === undefined) throw new Refusal(id === '' ? 'invalid_arguments' : 'invalid_trigger_id');
    if (trigger.used) throw new Refusal('exchanged_trigger_id');
    if (Date.now() - trigger.at > LIFETIME_MS) throw new Refusal('expired_trigger_id');
    trigger.used = true;
    return trigger.user;
  }
}
