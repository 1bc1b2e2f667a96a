const LIMIT_MS = 9_500; // SIGTERM ends within 10 s, whatever hangs
const ECHO_MS = 500; // one Ctrl-C reaches us up to three times: from the terminal, from npm, from the bootstrap

/** The first SIGTERM or SIGINT; a later one ends the process at once. */
export function waitForStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | null = null;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (firstAt !== null && performance.now() - firstAt > ECHO_MS) process.exit(1);
        firstAt ??= performance.now();
        resolve(signal);
      });
    }
  });
}

/** From here on the process ends within 9.5 s. */
export function limitStop(): void {
  setTimeout(() => process.exit(1), LIMIT_MS).unref();
}
