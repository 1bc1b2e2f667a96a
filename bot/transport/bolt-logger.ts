import { LogLevel } from '@slack/bolt';
import type { Logger as BoltLogger } from '@slack/bolt';
import type { Logger } from 'pino';

/** Bolt's log lines in ours. Its debug lines hold whole payloads, so they are never asked for. */
export function adaptLogger(log: Logger): BoltLogger {
  const say = (level: 'info' | 'warn' | 'error', parts: unknown[]): void => {
    log[level]({ from: 'slack-sdk' }, parts.map(String).join(' ').slice(0, 1_000));
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
