import type { Logger } from 'pino';

export interface StopList {
  /** Stopped in reverse order of being added. */
  add(name: string, stop: () => Promise<unknown>): void;
  /** Stops all; one that fails is logged and holds up nothing. A second call waits for the first. */
  run(): Promise<void>;
}

export function createStopList(log: Logger): StopList {
  const entries: { name: string; stop: () => Promise<unknown> }[] = [];
  let running: Promise<void> | null = null;
  const stopAll = async (): Promise<void> => {
    for (const { name, stop } of entries.toReversed()) {
      try {
        await stop();
      } catch (error) {
        log.warn({ err: error }, `could not stop ${name} cleanly`);
      }
    }
  };
  return {
    add: (name, stop) => void entries.push({ name, stop }),
    run: () => (running ??= stopAll()),
  };
}
