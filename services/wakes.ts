import pg from 'pg';

const RECONNECT_MS = 1_000;

/** Hints from the database that something is due. Each may be missed: whoever waits also polls slowly. */
export interface Wakes {
  /** Calls back at each NOTIFY on the channel, and once after a lost connection is back. Returns how to stop. */
  listen(channel: string, onWake: (payload: string | null) => void): () => void;
  /** A hint to those who listen in this process only. */
  tell(channel: string, payload: string): void;
  stop(): Promise<void>;
}

interface WakesInput {
  url: string;
  channels: readonly string[];
  onError(error: Error): void;
}

/** One LISTEN connection per process, however many wait: idle listeners are costly. */
export function createWakes(input: WakesInput): Wakes {
  const listeners = new Map<string, Set<(payload: string | null) => void>>();
  const tell = (channel: string, payload: string | null): void => {
    for (const onWake of listeners.get(channel) ?? []) onWake(payload);
  };
  const stop = keepListening(input, tell);
  return {
    listen: (channel, onWake) => {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(onWake));
      return () => void set.delete(onWake);
    },
    tell,
    stop,
  };
}

/** Connects, and connects again, until the function that it returns is called. */
function keepListening(
  input: WakesInput,
  onWake: (channel: string, payload: string | null) => void,
): () => Promise<void> {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  const retryLater = (): void => {
    if (isStopped || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      void connect();
    }, RECONNECT_MS);
    timer.unref();
  };
  const connect = async (): Promise<void> => {
    const next = createClient({ url: input.url, onError: input.onError, onWake });
    client = next;
    next.on('end', () => {
      if (client === next) retryLater();
    });
    try {
      await next.connect();
      for (const channel of input.channels) await next.query(`listen ${pg.escapeIdentifier(channel)}`);
      for (const channel of input.channels) onWake(channel, null); // what came while nobody listened
    } catch (error) {
      input.onError(error as Error);
      await next.end().catch(() => undefined);
      retryLater();
    }
  };
  void connect();
  return async () => {
    isStopped = true;
    if (timer !== null) clearTimeout(timer);
    await client?.end().catch(() => undefined);
  };
}

/** Not connected yet. An error without a handler would end the process. */
function createClient(input: {
  url: string;
  onError(error: Error): void;
  onWake(channel: string, payload: string | null): void;
}): pg.Client {
  const client = new pg.Client({ connectionString: input.url, application_name: 'medic-wakes', keepAlive: true });
  client.on('error', (error) => {
    input.onError(error);
  });
  client.on('notification', ({ channel, payload }) => {
    input.onWake(channel, payload ?? null);
  });
  return client;
}
