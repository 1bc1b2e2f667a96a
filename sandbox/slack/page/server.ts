import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isLocalRequest } from './guard.ts';
import { answerJson, answerText, readBody, readBytes } from './http.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_UPLOAD_BYTES = 2 * MAX_BODY_BYTES; // a file and what multipart adds

export interface PageRoutes {
  api: (request: IncomingMessage, response: ServerResponse, method: string) => Promise<void>;
  respond: (id: string, body: unknown) => { status: number; body: unknown };
  upload: (id: string, bytes: Buffer) => { status: number; text: string };
  page: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;
  upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

/** The one port of the workspace, on loopback only. Rejects when it is taken. */
export async function openServer(port: number, routes: PageRoutes): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    route(request, response, routes).catch((error: unknown) => {
      if (!response.headersSent) answerJson(response, 400, { ok: false, error: messageOf(error) });
      else response.destroy();
    });
  });
  server.on('upgrade', (request, socket, head) => {
    if (!isLocalRequest(request) || !(request.url ?? '').startsWith('/link')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    routes.upgrade(request, socket as Socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeAllConnections();
  await closed;
}

async function route(request: IncomingMessage, response: ServerResponse, routes: PageRoutes): Promise<void> {
  if (!isLocalRequest(request)) {
    answerText(response, 403, 'This sandbox answers only its own page and programs on this computer.');
    return;
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname.startsWith('/api/')) {
    await routes.api(request, response, url.pathname.slice('/api/'.length));
  } else if (url.pathname.startsWith('/response/') && request.method === 'POST') {
    const body = await readBody(request, MAX_BODY_BYTES);
    const answer = routes.respond(url.pathname.slice('/response/'.length), parsed(body));
    answerJson(response, answer.status, answer.body);
  } else if (url.pathname.startsWith('/upload/') && request.method === 'POST') {
    const answer = routes.upload(url.pathname.slice('/upload/'.length), await readUpload(request));
    answerText(response, answer.status, answer.text);
  } else if (!(await routes.page(request, response, url))) {
    answerText(response, 404, 'Not found.');
  }
}

/** Raw bytes, or the first file of a form. */
async function readUpload(request: IncomingMessage): Promise<Buffer> {
  const bytes = await readBytes(request, MAX_UPLOAD_BYTES);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return bytes;
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  const file = [...form.values()][0];
  if (file === undefined) return Buffer.alloc(0);
  return typeof file === 'string' ? Buffer.from(file) : Buffer.from(await file.arrayBuffer());
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
