/** The next round begins `periodMs` after the last has ended, which must not reject. Stopping waits for the one under way. */
export function goRound(round: () => Promise<void>, periodMs: number): () => Promise<void> {
  let isStopped = false;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const schedule = (): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = round().finally(schedule);
    }, periodMs);
    timer.unref();
  };
  schedule();
  return async () => {
    isStopped = true;
    if (timer !== null) clearTimeout(timer);
    await running;
  };
}
