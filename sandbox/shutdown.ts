export interface Shutdown {
  /** What has to be stopped later; the last added is stopped first. */
  add(name: string, stop: () => Promise<unknown>): void;
  /** Stops everything in reverse order; one that fails is told and does not hold up the others. Safe to call again. */
  stopAll(): Promise<void>;
  /** Settles when a signal asked us to stop and everything is stopped. */
  finished: Promise<NodeJS.Signals>;
  isStopping(): boolean;
}

const SAME_KEY_MS = 500; // one Ctrl-C reaches us up to three times: from the terminal, from npm, from the bootstrap
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Stops what was started when SIGINT, SIGTERM or SIGHUP comes, in reverse order. A second signal, later than one key
 * press can echo, ends this process at once; the guarded parts then end by themselves.
 */
export function createShutdown(options: { say: (line: string) => void }): Shutdown {
  const parts: { name: string; stop: () => Promise<unknown> }[] = [];
  let stopping: Promise<void> | undefined;
  let stoppingSince = 0;
  const stopAll = (): Promise<void> => {
    stoppingSince = stopping === undefined ? performance.now() : stoppingSince;
    stopping ??= stopInReverse(parts, options.say);
    return stopping;
  };
  const finished = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (stopping === undefined) options.say('Stopping …');
        else if (performance.now() - stoppingSince > SAME_KEY_MS) process.exit(130);
        void stopAll().then(() => resolve(signal));
      });
    }
  });
  return {
    add: (name, stop) => void parts.push({ name, stop }),
    stopAll,
    finished,
    isStopping: () => stopping !== undefined,
  };
}

async function stopInReverse(
  parts: { name: string; stop: () => Promise<unknown> }[],
  say: (line: string) => void,
): Promise<void> {
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    try {
      await part.stop();
    } catch (error) {
      say(`Could not stop ${part.name} cleanly: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
