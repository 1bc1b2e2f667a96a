/**
 * One question at a time to the database: what is asked meanwhile goes with the next. So many who ask cost little more
 * than one, and each is answered with what was read after it asked.
 */
export function createReadTogether<K, V>(
  readAll: (asked: readonly K[]) => Promise<readonly V[]>,
): (key: K) => Promise<V> {
  let waiting: { key: K; resolve(value: V): void; reject(error: unknown): void }[] = [];
  let isReading = false;
  const readWaiting = async (): Promise<void> => {
    isReading = true;
    while (waiting.length > 0) {
      const asked = waiting;
      waiting = [];
      try {
        const values = await readAll(asked.map(({ key }) => key));
        for (const [index, { resolve }] of asked.entries()) resolve(values[index] as V);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    isReading = false;
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (!isReading) void readWaiting();
    });
}
