export interface Progress {
  /** One line for the person who waits. */
  say(line: string): void;
  /**
   * Runs the work. Nothing is shown when it is done within two seconds; after that a line, and another one every few
   * seconds, each with the detail last reported.
   */
  during<T>(what: string, work: (report: (detail: string) => void) => Promise<T>): Promise<T>;
}

const QUIET_MS = 2_000; // below this nobody wonders whether anything happens
const REPEAT_MS = 5_000;

/** Lines go to standard output, or with `isJson` to standard error, so that standard output holds only JSON. */
export function createProgress(options: { isJson?: boolean; write?: (line: string) => void } = {}): Progress {
  const stream = options.isJson === true ? process.stderr : process.stdout;
  const say = options.write ?? ((line: string) => void stream.write(`${line}\n`));
  return { say, during: (what, work) => reportWhile(say, what, work) };
}

async function reportWhile<T>(
  say: (line: string) => void,
  what: string,
  work: (report: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  let detail = '';
  let hasShown = false;
  const secondsSoFar = (): string => `${Math.round((performance.now() - startedAt) / 1_000)} s`;
  const show = (): void => {
    hasShown = true;
    say(`${what} … ${secondsSoFar()}${detail === '' ? '' : ` (${detail})`}`);
    timer = setTimeout(show, REPEAT_MS);
  };
  let timer = setTimeout(show, QUIET_MS);
  try {
    const result = await work((text) => (detail = text.slice(0, 100)));
    if (hasShown) say(`${what}: done after ${secondsSoFar()}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}
