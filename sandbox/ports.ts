import { createServer } from 'node:net';
import { UnavailableError } from '../domain/errors.ts';

export interface TakenPort {
  port: number;
  /** False where the wanted port belongs to someone else; `sentence` then says so. */
  isWanted: boolean;
  sentence: string | null;
}

const HOST = '127.0.0.1';
const TRIES = 100; // far more than the services one machine runs side by side

/**
 * A free port on loopback: the wanted one or the next free one after it; with 0 or nothing, any. Free means free at
 * this moment: who binds it later still has to cope with losing the race.
 */
export async function takePort(wanted = 0, reserved: ReadonlySet<number> = new Set()): Promise<TakenPort> {
  if (wanted === 0) return { port: await probe(0), isWanted: true, sentence: null };
  for (let port = wanted; port < Math.min(wanted + TRIES, 65_536); port++) {
    if (reserved.has(port)) continue;
    try {
      await probe(port);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EADDRINUSE' || code === 'EACCES') continue;
      throw error;
    }
    const isWanted = port === wanted;
    return { port, isWanted, sentence: isWanted ? null : `Port ${wanted} is taken; using ${port} instead.` };
  }
  throw new UnavailableError(`No port from ${wanted} to ${wanted + TRIES - 1} is free. Stop what listens there.`, {
    code: 'no_free_port',
  });
}

function probe(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
