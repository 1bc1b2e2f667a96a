import type { Store } from './store.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/** Looks at once and at every change until the probe holds; rejects with what was waited for. A probe that throws rejects. */
export function waitForChange<T>(
  store: Store,
  probe: () => T | undefined | false,
  options: { timeoutMs?: number; what?: string } = {},
): Promise<T> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, what = 'the expected change' } = options;
  return new Promise<T>((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      stop();
      settle();
    };
    const look = (): void => {
      try {
        const found = probe();
        if (found !== undefined && found !== false)
          end(() => {
            resolve(found);
          });
      } catch (error) {
        end(() => {
          reject(error instanceof Error ? error : new Error(String(error)));
        });
      }
    };
    const timer = setTimeout(() => {
      end(() => {
        reject(new Error(`Waited ${String(timeoutMs)} ms for ${what}, in vain.`));
      });
    }, timeoutMs);
    const stop = store.onChange(look);
    look();
  });
}
