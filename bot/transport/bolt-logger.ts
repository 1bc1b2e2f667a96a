import { LogLevel } from '@slack/bolt';
import type { Logger as BoltLogger } from '@slack/bolt';
import type { Logger } from 'pino';

/**
 * Bolt's log lines in ours. Its debug lines hold whole payloads, so they are never asked for; what begins as
 * `toldElsewhere` says is left out, because we tell it ourselves.
 */
export function adaptLogger(log: Logger, toldElsewhere?: string): BoltLogger {
  const say = (level: 'info' | 'warn' | 'error', parts: unknown[]): void => {
    const line = parts.map(String).join(' ').slice(0, 1_000);
    if (toldElsewhere === undefined || !line.startsWith(toldElsewhere)) log[level]({ from: 'slack-sdk' }, line);
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...parts) => {
      say('warn', parts);
    },
    error: (...parts) => {
      say('error', parts);
    },
    setLevel: () => undefined,
    setName: () => undefined,
    getLevel: () => LogLevel.WARN,
  };
}
