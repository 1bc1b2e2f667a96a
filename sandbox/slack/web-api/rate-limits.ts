const POST_BURST = 5; // Slack allows short bursts over one a second; how short it does not say

interface Bucket {
  left: number;
  at: number;
}

/** Token buckets: one for each method, and for posts one for each channel. */
export class RateLimits {
  readonly #buckets = new Map<string, Bucket>();

  /** Undefined when the call may pass, else the seconds to wait. */
  take(method: string, channel: string, perMinute: number): number | undefined {
    if (method === 'chat.postMessage') return this.#take(`${method} ${channel}`, 1, POST_BURST);
    return this.#take(method, perMinute / 60, perMinute);
  }

  #take(key: string, perSecond: number, burst: number): number | undefined {
    const now = Date.now();
    const bucket = this.#buckets.get(key) ?? { left: burst, at: now };
    const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond);
    if (left < 1) {
      this.#buckets.set(key, { left, at: now });
      return Math.ceil((1 - left) / perSecond);
    }
    this.#buckets.set(key, { left: left - 1, at: now });
    return undefined;
  }
}
