import type { LogLevel } from '@temporalio/worker';
import { DefaultLogger, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { Logger } from 'pino';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';
const LEVELS: Readonly<Record<LogLevel, Level>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'debug', // how its workers come and go is no news to an operator
  WARN: 'warn',
  ERROR: 'error',
};

let log: Logger | null = null;

/**
 * Sends what Temporal's runtime has to say into our log. Call it before the first connection: a process has one
 * runtime. Later calls change only where its lines go.
 */
export function routeTemporalLogs(target: Logger): void {
  const isFirst = log === null;
  log = target.child({ part: 'temporal' });
  if (!isFirst) return;
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      log?.[LEVELS[level]]({ meta }, message);
    }),
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
    shutdownSignals: [], // signals are handled once, by whoever composes the process
  });
}
