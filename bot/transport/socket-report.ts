import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../../services/context.ts';
import { forgetSocket, REPORT_EVERY_MS, reportSocket } from '../../services/slack/sockets.ts';
import type { SocketConnection } from './socket-connection.ts';

const STOP_MS = 1_000; // a row that stays behind ages by itself

export interface SocketReporter {
  /** Takes its row away: this bot is not missed. */
  stop(): Promise<void>;
}

/**
 * Keeps one row that says whether this process has a socket to Slack, at every change and every 20 s, so that the API
 * can tell it wherever it runs. While the database is away nothing is told; what comes then is the state of then.
 */
export function startSocketReporter(
  ctx: Pick<Context, 'database' | 'log'>,
  connection: Pick<SocketConnection, 'isConnected' | 'connectedMsAgo' | 'onChange'>,
): SocketReporter {
  const id = randomUUID();
  let isStopped = false;
  let isChanged = false;
  let pause = new AbortController();
  const wake = (): void => {
    isChanged = true;
    pause.abort();
  };
  const report = async (): Promise<void> => {
    const connectedMsAgo = connection.connectedMsAgo();
    await reportSocket(ctx, { id, isConnected: connection.isConnected(), connectedMsAgo }).catch((error: unknown) => {
      ctx.log.warn({ err: error }, 'the state of the socket to Slack could not be stored');
    });
  };
  const run = async (): Promise<void> => {
    while (!isStopped) {
      pause = new AbortController();
      isChanged = false;
      await report();
      if (isChanged) continue; // while it was being told
      await wait(REPORT_EVERY_MS, undefined, { signal: pause.signal, ref: false }).catch(() => undefined);
    }
    await forgetSocket(ctx, id).catch(() => undefined);
  };
  connection.onChange(wake);
  const running = run();
  return {
    stop: async () => {
      isStopped = true;
      wake();
      await Promise.race([running, wait(STOP_MS, undefined, { ref: false })]);
    },
  };
}
