import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import type { HostileRequest } from './hostile-requests.ts';

const PATIENCE_MS = 30_000; // a heartbeat may be held for 25 s
const LARGE_BYTES = 60_000; // a body that is refused by its length may be cut off while it is still being sent

export interface Outcome {
  /** 0: the connection was cut without an answer. */
  status: number;
  /** What must not be; null where all is well. */
  fault: string | null;
}

/** A client that keeps its connections, as one who means harm does. */
export function createHostileClient(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const { hostname, port } = new URL(url);
  const send = (wanted: HostileRequest) =>
    new Promise<Outcome>((resolve) => {
      const headers = { ...wanted.headers, 'content-length': String(wanted.body.length) };
      const { method, path } = wanted;
      const sent = request({ hostname, port, path, method, headers, agent, timeout: PATIENCE_MS }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
        response.once('error', () => {
          resolve({ status: response.statusCode ?? 0, fault: null });
        });
        response.once('end', () => {
          const status = response.statusCode ?? 0;
          resolve({
            status,
            fault: judge({ method, status, text, type: response.headers['content-type'] ?? '', path }),
          });
        });
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', (error) => {
        resolve({ status: 0, fault: wanted.body.length > LARGE_BYTES ? null : error.message });
      });
      sent.end(wanted.body);
    });
  return {
    send,
    sendRaw: (bytes: Buffer) => sendRaw({ hostname, port: Number(port) }, bytes),
    close: () => agent.destroy(),
  };
}

function judge(answer: { method: string; status: number; text: string; type: string; path: string }): string | null {
  const { method, status, text, type, path } = answer;
  if (status === 503 && path.startsWith('/readyz')) return null; // on busy cores PostgreSQL may need its two seconds
  if (status >= 500) return `${String(status)} ${text.slice(0, 300)}`;
  if (/\n\s+at .+:\d+:\d+|node_modules/.test(text.slice(0, 10_000)) && !path.startsWith('/docs'))
    return `a stack: ${text.slice(0, 300)}`;
  if (status < 400 || method === 'HEAD' || !path.startsWith('/api/')) return null;
  return isProblem(text, { status, type }) ? null : `no problem: ${String(status)} ${type} ${text.slice(0, 300)}`;
}

function isProblem(text: string, { status, type }: { status: number; type: string }): boolean {
  if (!type.startsWith('application/problem+json')) return false;
  const { code, status: told, detail } = JSON.parse(text) as Record<string, unknown>;
  return /^[a-z_]+$/.test(String(code)) && told === status && typeof detail === 'string';
}

/** Bytes as they are, then the end: answered with a 400 or cut off. */
function sendRaw(place: { hostname: string; port: number }, bytes: Buffer): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: place.hostname, port: place.port }, () => socket.end(bytes));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('neither answered nor cut off')));
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ status: 0, fault: ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? null : error.message });
    });
    socket.once('close', () => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      resolve({ status, fault: status >= 500 ? text.slice(0, 300) : null });
    });
  });
}

const HEAD = 'POST /api/v1/actions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

/** What no HTTP client sends. */
export const RAW_REQUESTS: readonly Buffer[] = [
  '\r\n\r\n',
  'GET\r\n\r\n',
  'get / http/1.1\r\n\r\n',
  'GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n',
  'GET /healthz HTTP/1.1\r\n\r\n',
  'GET http://evil.example/healthz HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n',
  'GET /\u0000 HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /ÿþ HTTP/1.1\r\nhost: x\r\n\r\n',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nhost: x\r\n${'x: y\r\n'.repeat(3_000)}\r\n`,
  'GET /healthz HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n',
  'CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  `${HEAD}content-length: 10\r\n\r\n{}`,
  `${HEAD}content-length: -1\r\n\r\n{}`,
  `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
  `${HEAD}content-length: 99999999999999999999\r\n\r\n{}`,
  `${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n`,
  `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  `${HEAD}transfer-encoding: chunked\r\n\r\n2;${'e'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx-trailer: y\r\n\r\n`,
  `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  `${HEAD}expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}`,
  `${HEAD}expect: 200-ok\r\ncontent-length: 2\r\n\r\n{}`,
  `${'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200)}`,
].map((text) => Buffer.from(text, 'latin1'));
