const POST_BURST = 5; // Slack allows short bursts over one a second; how short it does not say
const WINDOW_MS = 60_000; // tiers are told per minute

export interface RateLimitSettings {
  /** How many posts to one channel may come at once before one a second is all there is. */
  postBurst?: number | undefined;
}

/** Posts: one a second and channel, after a short burst. Anything else: so many in any minute, by the method's tier. */
export class RateLimits {
  readonly #postBurst: number;
  readonly #posts = new Map<string, { left: number; at: number }>();
  readonly #calls = new Map<string, number[]>();
  /** Switched on or off at any time; what was called before counts too. */
  isOn: boolean;

  constructor(settings: boolean | RateLimitSettings) {
    this.isOn = settings !== false;
    this.#postBurst = typeof settings === 'object' ? (settings.postBurst ?? POST_BURST) : POST_BURST;
  }

  /** Undefined when the call may pass, else the whole seconds to wait. A refused call does not count. */
  take(method: string, channel: string, perMinute: number): number | undefined {
    const waitMs = method === 'chat.postMessage' ? this.#takePost(channel) : this.#takeCall(method, perMinute);
    return waitMs === undefined || !this.isOn ? undefined : Math.max(1, Math.ceil(waitMs / 1000));
  }

  #takePost(channel: string): number | undefined {
    const now = Date.now();
    const bucket = this.#posts.get(channel) ?? { left: this.#postBurst, at: now };
    const left = Math.min(this.#postBurst, bucket.left + (now - bucket.at) / 1000);
    this.#posts.set(channel, { left: left < 1 ? left : left - 1, at: now });
    return left < 1 ? (1 - left) * 1000 : undefined;
  }

  #takeCall(method: string, perMinute: number): number | undefined {
    const now = Date.now();
    const recent = (this.#calls.get(method) ?? []).filter((at) => now - at < WINDOW_MS);
    const oldest = recent[0];
    const isFull = recent.length >= perMinute && oldest !== undefined;
    this.#calls.set(method, isFull ? recent : [...recent, now]);
    return isFull ? WINDOW_MS - (now - oldest) : undefined;
  }
}
