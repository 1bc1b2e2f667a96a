import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isLocalRequest } from './guard.ts';
import { answerJson, answerText, readBody } from './http.ts';

const MAX_BODY_BYTES = 1024 * 1024;

export interface PageRoutes {
  api: (request: IncomingMessage, response: ServerResponse, method: string) => Promise<void>;
  respond: (id: string, body: unknown) => { status: number; body: unknown };
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
  } else if (!(await routes.page(request, response, url))) {
    answerText(response, 404, 'Not found.');
  }
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
