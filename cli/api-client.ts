import { randomUUID } from 'node:crypto';
import * as errors from '../domain/errors.ts';
import { readEnvironment } from '../services/config/environment.ts';
import type { RawEnvironment } from '../services/config/environment.ts';
import { requireSettings } from '../services/config/required-settings.ts';
import { toPlainText } from './print.ts';

const TIMEOUT_MS = 30_000; // a repeat waits up to 20 s for the first try; everything else is answered within three

export type Json = Record<string, unknown>;

interface Call {
  url: string;
  method: 'GET' | 'POST' | 'PUT';
  path: string;
}

/**
 * One call of the control plane at MEDIC_URL. Throws NotAllowedError for what its policy refuses (403, and 409 where
 * the state of an action forbids it), ConflictError for another 409, InvalidInputError for 400 and 404,
 * UnavailableError where it is away or what answers is no control plane, ConfigurationError for a token it does not
 * know.
 */
export type ApiClient = (method: Call['method'], path: string, body?: Json) => Promise<Json>;

/** Each call reads the settings that it needs, so that `--help` works without them. */
export function createApiClient(env: RawEnvironment): ApiClient {
  return async (method, path, body) => {
    const { url, token } = readClientSettings(env);
    const call = { url, method, path };
    const isRead = method === 'GET';
    const headers = {
      authorization: `Bearer ${token}`,
      ...(isRead ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    };
    const init = { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const { response, text } = await exchange(call, isRead ? init : { ...init, body: JSON.stringify(body ?? {}) });
    const answer = readObject(text);
    const isOurs = response.ok ? answer !== null : typeof answer?.['code'] === 'string';
    if (answer === null || !isOurs) throw refuseStranger(call, response.status);
    if (response.ok) return answer;
    throw toError(response.status, answer);
  };
}

function readClientSettings(env: RawEnvironment): { url: string; token: string } {
  const environment = readEnvironment(env);
  requireSettings(environment, ['client']);
  const token = environment.client.token ?? '';
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const message = 'MEDIC_TOKEN holds a character that no token has: copy it again as `medic token create` showed it.';
    throw new errors.ConfigurationError(message, { code: 'invalid_environment' });
  }
  return { url: (environment.client.url ?? '').replace(/\/+$/, ''), token };
}

async function exchange({ url, method, path }: Call, init: RequestInit): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(`${url}/api/v1${path}`, init);
    return { response, text: await response.text() };
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'TimeoutError') {
      const doubt = method === 'GET' ? '' : ' It may have been done all the same: look before you try again.';
      const message = `The control plane at ${url} did not answer within ${TIMEOUT_MS / 1000} s.${doubt}`;
      throw new errors.UnavailableError(message, { code: 'control_plane_slow', cause });
    }
    const message = `The control plane at ${url} does not answer: start it, or correct MEDIC_URL.`;
    throw new errors.UnavailableError(message, { code: 'control_plane_away', cause });
  }
}

function readObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : null;
  } catch {
    return null;
  }
}

function refuseStranger({ url }: Call, status: number): errors.MedicError {
  if (status >= 500) {
    const message = `The control plane at ${url} is away: what stands before it answered ${status}.`;
    return new errors.UnavailableError(message, { code: 'control_plane_away' });
  }
  const message = `What answers at ${url} (status ${status}) is no control plane of Medic: correct MEDIC_URL.`;
  return new errors.ConfigurationError(message, { code: 'no_control_plane' });
}

function toError(status: number, problem: Json): errors.MedicError {
  const message = toPlainText(String(problem['detail'] ?? `The control plane answered ${status}.`));
  const options = { code: String(problem['code']) };
  if (status === 403) return new errors.NotAllowedError(message, options);
  if (status === 409) {
    // about the transport, not about the action
    const isPolicy = !options.code.startsWith('idempotency_');
    return isPolicy ? new errors.NotAllowedError(message, options) : new errors.ConflictError(message, options);
  }
  if (status === 401) return new errors.ConfigurationError(`${message} MEDIC_TOKEN holds it.`, options);
  if (status === 429) return new errors.TooManyRequestsError(message, options);
  if (status >= 500) return new errors.UnavailableError(message, options);
  return new errors.InvalidInputError(message, options);
}
