import type { Logger } from 'pino';

const LATEST_MS = 1_800; // Slack waits three seconds, then tells the person that nobody answered

/**
 * Acknowledges what Slack brought when `work` has recorded it, or has ended: before that, a process that is killed would
 * take it along, and Slack would not tell the person. After 1.8 s it is acknowledged all the same, so that whoever acts
 * while the database or Slack is slow is not told of a failure. Resolves as `work` does.
 */
export async function recordFirst<T>(
  delivery: { ack: () => Promise<void>; log: Logger },
  work: (onRecorded: () => void) => Promise<T>,
): Promise<T> {
  const { ack, log } = delivery;
  let sending: Promise<void> | undefined;
  const acknowledge = (): void => {
    sending ??= ack().catch((error: unknown) => {
      log.warn({ err: error }, 'Slack could not be told that its message arrived');
    });
  };
  const timer = setTimeout(acknowledge, LATEST_MS);
  try {
    return await work(acknowledge);
  } finally {
    clearTimeout(timer);
    acknowledge();
    await sending;
  }
}
