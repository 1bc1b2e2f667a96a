import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { isJson, textOf } from '../model.ts';
import type { Json } from '../model.ts';
import { answerJson, readBody } from '../page/http.ts';
import type { Store } from '../store.ts';
import type { Triggers } from '../delivery/triggers.ts';
import { CHAT_METHODS } from './chat.ts';
import type { Faults } from './faults.ts';
import { FILE_METHODS } from './files.ts';
import { LOOKUP_METHODS } from './lookups.ts';
import type { Method } from './method.ts';
import type { RateLimits } from './rate-limits.ts';
import { Refusal } from './refusal.ts';
import { USERGROUP_METHODS } from './usergroups.ts';
import { VIEW_METHODS } from './views.ts';

const METHODS: Record<string, Method> = {
  ...CHAT_METHODS,
  ...VIEW_METHODS,
  ...LOOKUP_METHODS,
  ...USERGROUP_METHODS,
  ...FILE_METHODS,
};
const MAX_BODY_BYTES = 1024 * 1024;
const NESTED = ['blocks', 'view', 'metadata', 'attachments', 'files'];

export interface EndpointOptions {
  store: Store;
  triggers: Triggers;
  faults: Faults;
  socketUrl: () => string;
  botToken: string;
  appToken: string | undefined;
  scopes: readonly string[] | undefined;
  limits: RateLimits;
}

/** Answers `POST /api/<method>` as Slack's Web API does, and records each call with its answer. */
export class WebApiEndpoint {
  readonly #options: EndpointOptions;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const { store, faults, scopes } = this.#options;
    const at = Date.now();
    const body = await readBody(request, MAX_BODY_BYTES);
    const args = parseArgs(body, request.headers['content-type'] ?? '', request.url ?? '');
    const token = tokenOf(request, args);
    delete args['token'];
    if (faults.delayOf(name) > 0) await wait(faults.delayOf(name));
    const { status, answer, retryAfterS } = this.#answer(name, args, token);
    store.record({ method: name, args, token, at, status, answer });
    if (faults.takeDrop(name)) {
      request.socket.destroy();
      return;
    }
    if (faults.clockAheadS !== 0)
      response.setHeader('date', new Date(Date.now() + faults.clockAheadS * 1000).toUTCString());
    if (retryAfterS !== undefined) response.setHeader('retry-after', String(retryAfterS));
    if (scopes !== undefined) response.setHeader('x-oauth-scopes', scopes.join(','));
    answerJson(response, status, answer);
  }

  #answer(name: string, args: Json, token: string): { status: number; answer: Json; retryAfterS?: number } {
    const { store, triggers, faults, socketUrl } = this.#options;
    if (faults.isOut) return { status: 503, answer: { ok: false, error: 'service_unavailable' } };
    try {
      const method = this.#admit(name, args, token);
      const result = method.run({ store, triggers, args, socketUrl });
      return { status: 200, answer: { ok: true, ...result } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const answer = { ok: false, error: error.code, ...error.extra };
      if (error.retryAfterS === undefined) return { status: 200, answer };
      return { status: 429, answer, retryAfterS: error.retryAfterS };
    }
  }

  /** Token, scope and rate: all that Slack checks before it looks at the arguments. */
  #admit(name: string, args: Json, token: string): Method {
    const { botToken, appToken, scopes, faults, limits } = this.#options;
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (method === undefined) throw new Refusal('unknown_method', { req_method: name });
    if (name !== 'api.test') {
      if (token === '') throw new Refusal('not_authed');
      if (token !== botToken && token !== appToken) throw new Refusal('invalid_auth');
      if ((method.appToken === true) !== (token === appToken)) throw new Refusal('not_allowed_token_type');
    }
    if (scopes !== undefined && method.scopes.length > 0 && !method.scopes.some((scope) => scopes.includes(scope))) {
      throw new Refusal('missing_scope', { needed: method.scopes.join(','), provided: scopes.join(',') });
    }
    const waitS = faults.takeLimit(name) ?? limits.take(name, textOf(args['channel']), method.perMinute);
    if (waitS !== undefined) throw new Refusal('ratelimited', {}, waitS);
    const refused = faults.takeRefusal(name);
    if (refused !== undefined) throw new Refusal(refused);
    return method;
  }
}

function tokenOf(request: IncomingMessage, args: Json): string {
  const header = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  return header ?? textOf(args['token']);
}

/** Form or JSON; in a form the structured arguments are JSON in a string. What is no JSON stays a string and is refused later. */
function parseArgs(body: string, contentType: string, url: string): Json {
  const query = Object.fromEntries(new URL(url, 'http://localhost').searchParams);
  if (contentType.includes('json')) {
    const parsed = tryJson(body);
    return isJson(parsed) ? { ...query, ...parsed } : query;
  }
  const form: Json = { ...query, ...Object.fromEntries(new URLSearchParams(body)) };
  for (const key of NESTED) {
    const value = form[key];
    if (typeof value === 'string') form[key] = tryJson(value) ?? value;
  }
  return form;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
