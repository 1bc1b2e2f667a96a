/** Tells waiting loops that something may be due. A hint between a look and the wait that follows it is not missed. */
export interface Hints {
  /** Take it before you look; `wait` returns at once where a hint came since. */
  ticket(): number;
  wait(input: { since: number; atMostMs: number }): Promise<void>;
  give(): void;
  /** Ends every wait, from now on at once. */
  close(): void;
}

export function createHints(): Hints {
  let count = 0;
  let isClosed = false;
  let waiting = new Set<() => void>();
  const give = (): void => {
    count += 1;
    const woken = waiting;
    waiting = new Set();
    for (const wake of woken) wake();
  };
  return {
    ticket: () => count,
    give,
    wait: ({ since, atMostMs }) =>
      new Promise((resolve) => {
        if (isClosed || count !== since) {
          resolve();
          return;
        }
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, atMostMs);
        waiting.add(wake);
      }),
    close: () => {
      isClosed = true;
      give();
    },
  };
}
