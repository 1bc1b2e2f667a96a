import type { Json } from '../model.ts';

/** What Slack answers instead of doing it: `{ ok: false, error }`, or a 429 with Retry-After in seconds. */
export class Refusal extends Error {
  readonly code: string;
  readonly extra: Json;
  readonly retryAfterS: number | undefined;

  constructor(code: string, extra: Json = {}, retryAfterS?: number) {
    super(code);
    this.code = code;
    this.extra = extra;
    this.retryAfterS = retryAfterS;
  }
}

export function refuseBlocks(verdict: { error: string | undefined; messages: string[] }): void {
  if (verdict.error === undefined) return;
  throw new Refusal(verdict.error, { response_metadata: { messages: verdict.messages } });
}
