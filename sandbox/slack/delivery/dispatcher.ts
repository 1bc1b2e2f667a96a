import { isJson } from '../model.ts';
import type { DeliveryOutcome, Json } from '../model.ts';
import { postSigned } from './signed-http.ts';
import type { PayloadKind, Tamper } from './signed-http.ts';
import type { SocketMode } from './socket-mode.ts';

export const ACK_LIMIT_MS = 3_000;
const MAX_DELIVERED = 5_000; // enough for a test to look back; a page left open for days must not grow

const ENVELOPE_TYPES: Record<PayloadKind, string> = {
  command: 'slash_commands',
  interactive: 'interactive',
  event: 'events_api',
};

export interface Delivery {
  kind: PayloadKind;
  payload: Json;
}

/** Brings payloads to the app, over HTTP where an address is set, else over one of its sockets, and waits three seconds. */
export class Dispatcher {
  readonly #sockets: SocketMode;
  readonly #signingSecret: string;
  readonly #running = new Set<AbortController>();
  readonly #delivered: Delivery[] = [];
  httpEventsUrl: string | undefined;
  isOut = false;

  constructor(options: { sockets: SocketMode; signingSecret: string | undefined; httpEventsUrl: string | undefined }) {
    this.#sockets = options.sockets;
    this.#signingSecret = options.signingSecret ?? '';
    this.httpEventsUrl = options.httpEventsUrl;
  }

  /** What was sent, oldest first; for playing captured traffic again. */
  delivered(): Delivery[] {
    return [...this.#delivered];
  }

  /** `connection` is for Socket Mode: to this one, counted from the oldest. */
  async deliver(kind: PayloadKind, payload: Json, connection?: number): Promise<DeliveryOutcome> {
    this.#delivered.push({ kind, payload });
    if (this.#delivered.length > MAX_DELIVERED) this.#delivered.shift();
    const started = performance.now();
    const stopper = new AbortController();
    this.#running.add(stopper);
    const timer = setTimeout(() => {
      stopper.abort();
    }, ACK_LIMIT_MS);
    try {
      const outcome = this.isOut
        ? failed('dispatch_failed')
        : await (this.httpEventsUrl
            ? this.#overHttp(kind, payload, stopper.signal)
            : this.#overSocket({ kind, payload, connection, signal: stopper.signal }));
      return { ...outcome, ms: Math.round(performance.now() - started) };
    } finally {
      clearTimeout(timer);
      this.#running.delete(stopper);
    }
  }

  /** HTTP only: sends exactly this, and tells exactly what came back. */
  async deliverRaw(input: {
    kind: PayloadKind;
    payload: Json;
    tamper?: Tamper;
  }): Promise<{ status: number; body: string }> {
    if (!this.httpEventsUrl) throw new Error('Raw requests need HTTP mode: call setHttpEventsUrl first.');
    return postSigned({ url: this.httpEventsUrl, signingSecret: this.#signingSecret, ...input });
  }

  close(): void {
    for (const stopper of this.#running) stopper.abort();
  }

  async #overHttp(kind: PayloadKind, payload: Json, signal: AbortSignal): Promise<DeliveryOutcome> {
    try {
      const url = this.httpEventsUrl ?? '';
      const { status, body } = await postSigned({ url, signingSecret: this.#signingSecret, kind, payload, signal });
      if (status >= 200 && status < 300) return { acknowledged: true, ms: 0, body: parsed(body) };
      return { ...failed(status < 500 ? 'http_client_error' : 'http_service_error'), body };
    } catch {
      return failed(signal.aborted ? 'operation_timeout' : 'dispatch_failed');
    }
  }

  async #overSocket(
    input: Delivery & { connection: number | undefined; signal: AbortSignal },
  ): Promise<DeliveryOutcome> {
    const { kind, payload, connection, signal } = input;
    const extra = kind === 'event' ? { retry_attempt: 0, retry_reason: '' } : {};
    const sent = this.#sockets.send(ENVELOPE_TYPES[kind], payload, extra, connection);
    if (sent === undefined) return failed('dispatch_failed');
    const late = new Promise<'late'>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve('late');
      });
    });
    const answer = await Promise.race([sent.answer.then((body) => ({ body })), late]);
    if (answer === 'late') {
      sent.forget();
      return { ...failed('operation_timeout'), envelopeId: sent.envelopeId };
    }
    return { acknowledged: true, ms: 0, body: isEmpty(answer.body) ? '' : answer.body, envelopeId: sent.envelopeId };
  }
}

function failed(error: string): DeliveryOutcome {
  return { acknowledged: false, ms: 0, body: '', error };
}

function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (isJson(body) && Object.keys(body).length === 0);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
