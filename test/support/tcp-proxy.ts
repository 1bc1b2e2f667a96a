import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A way to a service that can be cut: what goes through ends at once, and nothing new is let in. */
export interface TcpProxy {
  /** `127.0.0.1:PORT`, the same after `mend`. */
  address: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Happens to what goes that way from now on. */
  trouble(next: Trouble | undefined): void;
  /** How often it has reset what went through. */
  resets(): number;
  stop(): Promise<void>;
}

/**
 * `up` is from who connects to the service. A reset once, after so many bytes; a reset of whatever has a longer HTTP body
 * than that, so far into it; a delay. The latter two until the next trouble.
 */
export type Trouble = { way: 'up' | 'down' } & (
  { resetAfterBytes: number } | { resetInBodyAt: number } | { delayMs: number }
);

/** `target` is asked for at each connection, where it is a function: what stands there may move. */
export async function startTcpProxy(target: string | (() => string)): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let trouble: Trouble | undefined;
  let passed = 0;
  let resets = 0;
  const inBody = new WeakMap<Socket, number>();
  const delayed = new WeakMap<Socket, Promise<unknown>>();
  /** How much of this chunk still goes through before the reset; Infinity where there is none. */
  const measure = (chunk: Buffer, from: Socket): number => {
    if (trouble === undefined || 'delayMs' in trouble) return Infinity;
    if ('resetInBodyAt' in trouble) {
      const end = chunk.indexOf('\r\n\r\n');
      const left = end < 0 ? (inBody.get(from) ?? Infinity) : end + 4 + trouble.resetInBodyAt;
      inBody.set(from, left - chunk.length);
      return left;
    }
    const left = trouble.resetAfterBytes - passed;
    passed += chunk.length;
    return left;
  };
  const pass = (chunk: Buffer, { from, to }: { from: Socket; to: Socket }): void => {
    const left = measure(chunk, from);
    if (chunk.length < left) {
      send(chunk, { to, waitMs: trouble !== undefined && 'delayMs' in trouble ? trouble.delayMs : 0 });
      return;
    }
    if (trouble !== undefined && 'resetAfterBytes' in trouble) trouble = undefined;
    from.pause(); // what comes behind the place of the reset goes nowhere
    resets += 1;
    const part = chunk.subarray(0, Math.max(0, left));
    const reset = (): void => {
      for (const socket of [from, to]) socket.resetAndDestroy();
    };
    if (part.length === 0) reset();
    else to.write(part, reset);
  };
  /** Never before what is still on its way. */
  const send = (chunk: Buffer, { to, waitMs }: { to: Socket; waitMs: number }): void => {
    const earlier = delayed.get(to);
    if (waitMs === 0 && earlier === undefined) to.write(chunk);
    else {
      const sent = Promise.all([earlier, delay(waitMs)]).then(() => to.write(chunk));
      delayed.set(to, sent);
    }
  };
  const forward = (client: Socket): void => {
    const { hostname, port } = new URL(`tcp://${typeof target === 'string' ? target : target()}`);
    const service = connect({ host: hostname, port: Number(port) });
    for (const [from, to, way] of [
      [client, service, 'up'],
      [service, client, 'down'],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined); // a reset ends it like anything else: `close` follows
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        if (trouble?.way === way) pass(chunk, { from, to });
        else send(chunk, { to, waitMs: 0 });
      });
      from.on('end', () => void Promise.resolve(delayed.get(to)).then(() => to.end()));
    }
  };
  let server = await open(0, forward);
  const { port } = server.address() as AddressInfo;
  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    address: `127.0.0.1:${port}`,
    cut,
    mend: async () => {
      if (server.listening) return;
      server = await open(port, forward);
    },
    trouble: (next) => {
      trouble = next;
      passed = 0;
    },
    resets: () => resets,
    stop: cut,
  };
}

async function open(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
