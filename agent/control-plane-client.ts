import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface Answer {
  status: number;
  /** Undefined where it is no JSON. */
  body: unknown;
  retryAfterMs?: number;
}

export interface ControlPlaneClient {
  /** Rejects where no answer came: refused, cut off, too slow, too large, or aborted. Redirects are not followed. */
  post(input: {
    path: string;
    body: unknown;
    token?: string;
    timeoutMs: number;
    signal?: AbortSignal;
  }): Promise<Answer>;
  close(): void;
}

export function createControlPlaneClient(baseUrl: URL): ControlPlaneClient {
  const isHttps = baseUrl.protocol === 'https:';
  const agent = isHttps ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const send = isHttps ? requestHttps : requestHttp;
  return {
    post: ({ path, body, token, timeoutMs, signal }) =>
      new Promise((resolve, reject) => {
        const payload = Buffer.from(JSON.stringify(body), 'utf8');
        const headers: Record<string, string> = {
          'content-type': 'application/json',
          'content-length': String(payload.length),
          accept: 'application/json',
        };
        if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
        const limit = AbortSignal.timeout(timeoutMs);
        const request = send(
          urlOf(baseUrl, path),
          { method: 'POST', agent, headers, signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) },
          (response) => {
            readAnswer(response).then(resolve, reject);
          },
        );
        request.once('error', reject);
        request.end(payload);
      }),
    close: () => {
      agent.destroy();
    },
  };
}

/** A control plane may live below a path of its own. */
function urlOf(baseUrl: URL, path: string): URL {
  return new URL(`${baseUrl.pathname.replace(/\/+$/, '')}${path}`, baseUrl);
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      response.destroy();
      throw new Error('the answer is too large');
    }
    chunks.push(chunk);
  }
  const retryAfterMs = readRetryAfter(response.headers['retry-after']);
  return {
    status: response.statusCode ?? 0,
    body: parseJson(Buffer.concat(chunks).toString('utf8')),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function readRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,6}$/.test(value)) return undefined;
  return Number(value) * 1000;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
