import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A way to a service that can be cut: what goes through ends at once, and nothing new is let in. */
export interface TcpProxy {
  /** `127.0.0.1:PORT`, the same after `mend`. */
  address: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Happens to what goes that way from now on: a reset once, after so many bytes; a delay until the next trouble. */
  trouble(next: Trouble | undefined): void;
  stop(): Promise<void>;
}

/** `up` is from who connects to the service. */
export type Trouble = { way: 'up' | 'down' } & ({ resetAfterBytes: number } | { delayMs: number });

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let trouble: Trouble | undefined;
  let passed = 0;
  const pass = (chunk: Buffer, { from, to }: { from: Socket; to: Socket }): void => {
    if (trouble !== undefined && 'resetAfterBytes' in trouble) {
      const left = trouble.resetAfterBytes - passed;
      passed += chunk.length;
      if (chunk.length >= left) {
        trouble = undefined;
        const part = chunk.subarray(0, left);
        const reset = (): void => void [from, to].map((socket) => socket.resetAndDestroy());
        if (part.length === 0) reset();
        else to.write(part, reset);
        return;
      }
    }
    if (trouble !== undefined && 'delayMs' in trouble) setTimeout(() => to.write(chunk), trouble.delayMs);
    else to.write(chunk);
  };
  const forward = (client: Socket): void => {
    const { hostname, port } = new URL(`tcp://${target}`);
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
        else to.write(chunk);
      });
      from.on('end', () => to.end());
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
    stop: cut,
  };
}

async function open(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
