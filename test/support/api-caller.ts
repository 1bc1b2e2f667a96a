import { randomUUID } from 'node:crypto';
import { startMedicProcess } from './medic-process.ts';
import { poll } from './poll.ts';

const ANSWER_MS = 180_000; // however often the API dies meanwhile

/** One call of the API; the answer's JSON. Rejects with CallRefused. A call that is made again has the key of the first. */
export type Call = (method: string, path: string, body?: object, key?: string) => Promise<unknown>;

/** A token as `medic token create` makes it; `env` is that of the control plane. */
export async function createToken(
  env: Readonly<Record<string, string>>,
  input: { principal: string; role: string },
): Promise<string> {
  const args = ['token', 'create', '--principal', input.principal, '--role', input.role, '--json'];
  const made = startMedicProcess(args, env);
  if ((await made.ended) !== 0) throw new Error(`no token: ${made.printed()}`);
  const token = /medic_[\w-]+/.exec(made.printed())?.[0];
  if (token === undefined) throw new Error(`no token in: ${made.printed()}`);
  return token;
}

/** What the API refused, with its code. */
export class CallRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(what: string, status: number, text: string) {
    super(`${what}: ${String(status)} ${text}`);
    this.status = status;
    this.code = /"code":"(\w+)"/.exec(text)?.[1] ?? '';
  }
}

export function createClient(url: string, token: string): Call {
  return async (method, path, body, key = randomUUID()) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key };
    const response = await fetch(`${url}${path}`, {
      method,
      headers: body === undefined ? { authorization: headers.authorization } : headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new CallRefused(`${method} ${path}`, response.status, await response.text());
    return response.json();
  };
}

/** One call under one key, repeated until it is answered; rejects with CallRefused. */
export async function askUntilAnswered(
  call: Call,
  { method, path, body }: { method: string; path: string; body?: object },
  key: string = randomUUID(),
): Promise<unknown> {
  let refusal: unknown;
  const answer = await poll(
    `an answer to ${method} ${path}`,
    async () => {
      try {
        return { said: await call(method, path, body, key) };
      } catch (error) {
        if (error instanceof CallRefused && error.status !== 503 && error.code !== 'idempotency_in_flight') throw error;
        refusal = error;
        return null; // nobody there, or not yet ready
      }
    },
    { timeoutMs: ANSWER_MS },
  ).catch((error: unknown) => {
    if (error instanceof CallRefused) throw error;
    throw new Error(`${String(error)}, last because of ${String(refusal)}`, { cause: refusal });
  });
  return answer.said;
}
