/** What a test or a person makes go wrong. */
export class Faults {
  readonly #limited = new Map<string, { times: number; retryAfterS: number }>();
  readonly #refused = new Map<string, { times: number; code: string }>();
  readonly #dropped = new Map<string, number>();
  readonly #delays = new Map<string, number>();
  isOut = false;
  /** How far Slack's clock is ahead of this machine's. */
  clockAheadS = 0;

  rateLimitNext(method: string, times: number, retryAfterS: number): void {
    this.#limited.set(method, { times, retryAfterS });
  }

  /** Slack says no, with that code; nothing is done. */
  refuseNext(method: string, times: number, code: string): void {
    this.#refused.set(method, { times, code });
  }

  /** The call is done, but its answer is lost on the way. */
  dropAnswer(method: string, times: number): void {
    this.#dropped.set(method, times);
  }

  delayMs(method: string, ms: number): void {
    this.#delays.set(method, ms);
  }

  takeLimit(method: string): number | undefined {
    const limit = this.#limited.get(method);
    if (limit === undefined || limit.times <= 0) return undefined;
    limit.times -= 1;
    return limit.retryAfterS;
  }

  takeRefusal(method: string): string | undefined {
    const refusal = this.#refused.get(method);
    if (refusal === undefined || refusal.times <= 0) return undefined;
    refusal.times -= 1;
    return refusal.code;
  }

  takeDrop(method: string): boolean {
    const times = this.#dropped.get(method) ?? 0;
    if (times > 0) this.#dropped.set(method, times - 1);
    return times > 0;
  }

  delayOf(method: string): number {
    return this.#delays.get(method) ?? 0;
  }
}
