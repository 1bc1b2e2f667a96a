import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 50;

/** For what another process does and tells nobody: asks until it holds, and says what it waited for if it never does. */
export async function poll<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  options: { timeoutMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await delay(EVERY_MS);
  }
}
