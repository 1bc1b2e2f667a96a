import type { Logger } from 'pino';

const LOST_MS = 60_000; // Slack renews a socket in seconds: this long is worth a line for the operator

/** connected → silent (the first failure is a warning) → lost (after a minute: one error line) → connected (told once). */
export interface Silence {
  /** The socket is open. */
  end(): void;
  /** It is not, or an attempt failed; only the first one in a row is told. */
  begin(error?: unknown): void;
  /** Since when there is no socket, in milliseconds; 0 while there is one. */
  lengthMs(): number;
  stop(): void;
}

/** Counts from its creation on, as there is no socket yet. `lostMs` is for tests. */
export function watchSilence(input: { log: Logger; lostMs?: number | undefined }): Silence {
  const { log, lostMs = LOST_MS } = input;
  let since: number | null = performance.now();
  let last: unknown;
  let isTold = false;
  let isLost = false;
  const lengthMs = (): number => (since === null ? 0 : performance.now() - since);
  const tellLost = (): void => {
    isLost = true;
    const silent_s = Math.round(lengthMs() / 1000);
    log.error({ err: last, silent_s }, 'no socket to Slack for a minute: clicks and commands do not arrive');
  };
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(tellLost, lostMs);
    timer.unref();
  };
  return {
    end: () => {
      if (isLost) log.info({ silent_s: Math.round(lengthMs() / 1000) }, 'the socket to Slack is back');
      clearTimeout(timer);
      since = null;
      isTold = false;
      isLost = false;
    },
    begin: (error) => {
      last = error ?? last;
      if (since === null || timer === undefined) {
        since ??= performance.now();
        wait();
      }
      if (error === undefined || isTold) return;
      isTold = true;
      log.warn({ err: error }, 'no socket to Slack; trying again');
    },
    lengthMs,
    stop: () => {
      clearTimeout(timer);
    },
  };
}
