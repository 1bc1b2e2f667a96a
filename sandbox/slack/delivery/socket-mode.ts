import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { APP_ID, isJson } from '../model.ts';
import type { Json } from '../model.ts';

const PING_MS = 10_000; // the client gives up after 30 s without one
const TICKET_MS = 30_000;
const GOODBYE_MS = 500;

/** Slack's side of Socket Mode: each payload goes to one of the connections, and comes back as an acknowledgement. */
export class SocketMode {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #sockets: WebSocket[] = [];
  readonly #tickets = new Map<string, number>();
  readonly #waiting = new Map<string, (payload: unknown) => void>();
  readonly #onChange: () => void;
  readonly #pings: NodeJS.Timeout;
  #turn = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#pings = setInterval(() => {
      for (const socket of this.#sockets) socket.ping();
    }, PING_MS);
    this.#pings.unref();
  }

  get connections(): number {
    return this.#sockets.length;
  }

  /** The query of an address that is good for one connection within 30 s. */
  ticket(): string {
    const ticket = randomBytes(16).toString('hex');
    this.#tickets.set(ticket, Date.now());
    return ticket;
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const ticket = new URL(request.url ?? '', 'http://localhost').searchParams.get('ticket') ?? '';
    const issued = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (issued === undefined || Date.now() - issued > TICKET_MS) {
      stream.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#welcome(socket);
    });
  }

  /** Resolves with the acknowledgement's payload, whenever it comes; undefined when nobody is connected. */
  send(
    type: string,
    payload: Json,
    extra: Json = {},
    /** Which connection, counted from the oldest; else each in its turn. */
    connection?: number,
  ): { envelopeId: string; answer: Promise<unknown>; forget: () => void } | undefined {
    const socket = this.#sockets[connection ?? this.#turn++ % Math.max(1, this.#sockets.length)];
    if (socket === undefined) return undefined;
    const envelopeId = randomUUID();
    const answer = new Promise<unknown>((resolve) => this.#waiting.set(envelopeId, resolve));
    socket.send(
      JSON.stringify({
        envelope_id: envelopeId,
        type,
        payload,
        accepts_response_payload: type !== 'events_api',
        ...extra,
      }),
    );
    return { envelopeId, answer, forget: () => this.#waiting.delete(envelopeId) };
  }

  /** As Slack does when it recycles a server: says so, and the client connects anew. */
  disconnectAll(reason = 'refresh_requested'): void {
    for (const socket of this.#sockets.splice(0)) {
      socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'sandbox' } }));
      socket.close(1000);
    }
    this.#onChange();
  }

  /** Says goodbye properly and waits for it, at most half a second: a client cut off in between holds on for 30 s. */
  async close(): Promise<void> {
    clearInterval(this.#pings);
    const open = this.#sockets.splice(0);
    const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of open) socket.close(1001);
    await Promise.race([Promise.all(closed), wait(GOODBYE_MS, undefined, { ref: false })]);
    for (const socket of open) socket.terminate();
    this.#server.close();
  }

  #welcome(socket: WebSocket): void {
    this.#sockets.push(socket);
    socket.on('message', (data) => {
      this.#receive(data);
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      const index = this.#sockets.indexOf(socket);
      if (index >= 0) this.#sockets.splice(index, 1);
      this.#onChange();
    });
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.#sockets.length,
        debug_info: { host: 'sandbox', approximate_connection_time: 18_060 },
        connection_info: { app_id: APP_ID },
      }),
    );
    this.#onChange();
  }

  #receive(data: RawData): void {
    const message = parse(data);
    if (!isJson(message) || typeof message['envelope_id'] !== 'string') return;
    const resolve = this.#waiting.get(message['envelope_id']);
    this.#waiting.delete(message['envelope_id']);
    resolve?.(message['payload']);
  }
}

function parse(data: RawData): unknown {
  try {
    return JSON.parse((data as Buffer).toString('utf8'));
  } catch {
    return undefined;
  }
}
