import { SocketModeReceiver } from '@slack/bolt';
import type { Receiver } from '@slack/bolt';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { adaptLogger } from './bolt-logger.ts';
import { watchSilence } from './silence.ts';
import { webClientOptions } from './web-client.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
const OPEN_MS = 15_000; // for the whole handshake; Slack's own takes about one second
const CLOSE_MS = 1_000;

export interface SocketConnection {
  receiver: Receiver;
  /** Returns at once; connects, and connects again, until stopped. */
  start(): void;
  stop(): Promise<void>;
  isConnected(): boolean;
  /** When there last was a socket, 0 while there is one; null: never yet. */
  connectedMsAgo(): number | null;
  /** Called whenever the socket comes or goes. */
  onChange(listener: () => void): void;
}

/**
 * connecting → connected → (Slack renews, network lost) → connecting → …
 *
 * The client's own reconnecting is off: where Slack answers it with an HTTP error it rejects in a timer, which ends the
 * process.
 */
export function createSocketConnection(input: {
  appToken: string;
  apiUrl: string;
  log: Logger;
  lostMs?: number;
}): SocketConnection {
  const { log } = input;
  const receiver = new SocketModeReceiver({
    appToken: input.appToken,
    autoReconnectEnabled: false,
    logger: adaptLogger(log, 'Failed to retrieve a new WSS URL'),
    installerOptions: { clientOptions: webClientOptions(input) },
  });
  const stopper = new AbortController();
  const { signal } = stopper;
  const silence = watchSilence({ log, lostMs: input.lostMs });
  let connected = false;
  let wasConnected = false;
  let tellChange = (): void => undefined;
  let running: Promise<void> = Promise.resolve();

  const connectOnce = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      receiver.client.once('disconnected', () => {
        resolve();
      });
    });
    const opened = receiver.client.start().then(() => 'open' as const);
    opened.catch(() => undefined); // told below, or too late to matter
    const late = wait(OPEN_MS, 'late' as const, { signal, ref: false }).catch(() => 'late' as const);
    if ((await Promise.race([opened, late])) === 'late') throw new Error('Slack did not open the socket in time.');
    connected = true;
    wasConnected = true;
    silence.end();
    tellChange();
    await closed;
    connected = false;
    silence.begin();
    tellChange();
  };
  const run = async (): Promise<void> => {
    let failures = 0;
    silence.begin();
    while (!signal.aborted) {
      try {
        await connectOnce();
        failures = 0;
      } catch (error) {
        failures += 1;
        silence.begin(error);
      }
      const pauseMs = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures, 10), LONGEST_WAIT_MS);
      if (failures > 0) await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  return {
    receiver,
    start: () => {
      running = run();
    },
    stop: async () => {
      stopper.abort();
      silence.stop();
      const closing = Promise.all([receiver.client.disconnect().catch(() => undefined), running]);
      await Promise.race([closing, wait(CLOSE_MS, undefined, { ref: false })]);
    },
    isConnected: () => connected,
    connectedMsAgo: () => (wasConnected ? silence.lengthMs() : null),
    onChange: (listener) => {
      tellChange = listener;
    },
  };
}
