import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 2_000; // a question that hangs holds up those who asked it, and nobody who asks later

/**
 * One question at a time to the database: what is asked meanwhile goes with the next. So many who ask cost little more
 * than one, and each is answered with what was read after it asked.
 */
export function createReadTogether<K, V>(
  readAll: (asked: readonly K[]) => Promise<readonly V[]>,
  patienceMs = PATIENCE_MS,
): (key: K) => Promise<V> {
  let waiting: { key: K; resolve(value: V): void; reject(error: unknown): void }[] = [];
  let isReading = false;
  const readNext = async (): Promise<void> => {
    const asked = waiting;
    waiting = [];
    try {
      const values = await readAll(asked.map(({ key }) => key));
      for (const [index, { resolve }] of asked.entries()) resolve(values[index] as V);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  const readWaiting = async (): Promise<void> => {
    isReading = true;
    while (waiting.length > 0) {
      await Promise.race([readNext(), delay(patienceMs, undefined, { ref: false })]);
    }
    isReading = false;
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (!isReading) void readWaiting();
    });
}
