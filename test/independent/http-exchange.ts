import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** Any JSON object; the tests look into it by name. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body where it is JSON, else undefined. */
  body: Json;
}

export interface Exchange {
  method: string;
  url: string;
  headers?: Record<string, string>;
  /** Sent as it is where it is a string, as JSON otherwise. */
  body?: unknown;
  signal?: AbortSignal;
}

/** One HTTP exchange on a connection of its own. Rejects only where no answer came. */
export function exchange(input: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const content = bodyText(input.body);
  const headers: Record<string, string> = { ...input.headers };
  if (content !== undefined) {
    headers['content-type'] ??= 'application/json';
    headers['content-length'] = String(Buffer.byteLength(content));
  }
  const options = { method: input.method, headers, agent: false, ...(input.signal ? { signal: input.signal } : {}) };
  const outgoing = request(input.url, options, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', reject);
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, body: parseJson(text) });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(content);
  return promise;
}

function bodyText(body: unknown): string | undefined {
  if (body === undefined || typeof body === 'string') return body;
  return JSON.stringify(body);
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
