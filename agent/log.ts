export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** One event in plain words; `facts` never hold secrets or output of a command. */
export type Log = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void;

const RANK: Record<string, number> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, fatal: 5, silent: 6 };

/** Writes one JSON object a line, as the control plane does. */
export function createLog({ write, level }: { write(line: string): void; level: string }): Log {
  const threshold = RANK[level] ?? 2;
  return (lineLevel, message, facts = {}) => {
    if ((RANK[lineLevel] ?? 2) < threshold) return;
    write(`${JSON.stringify({ time: new Date().toISOString(), level: lineLevel, msg: message, ...facts })}\n`);
  };
}
