import { pino } from 'pino';
import { ConfigurationError } from '../domain/errors.ts';
import { readEnvironment } from '../services/config/environment.ts';
import { requireSettings } from '../services/config/required-settings.ts';
import { startControlPlane } from './control-plane.ts';
import type { Part } from './control-plane.ts';
import { limitStop, waitForStopSignal } from './stop-signal.ts';

/** Runs the parts until SIGTERM or SIGINT; SIGHUP reloads. False where a part died on its own. */
export async function runControlPlane(parts: readonly Part[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const environment = readEnvironment(env);
  const log = pino({ level: environment.logLevel });
  const controlPlane = await startControlPlane({ parts: new Set(parts), environment, log });
  const asked = waitForStopSignal(); // until here a signal ends the process by itself: nothing has begun
  process.on('SIGHUP', () => void controlPlane.reload());
  log.info({ parts, url: controlPlane.url }, 'ready');
  const end = await Promise.race([asked, controlPlane.died]);
  if (end instanceof Error) log.fatal({ err: end }, 'a part died; the process ends');
  else log.info({ signal: end }, 'stopping');
  limitStop();
  await controlPlane.stop();
  log.info('stopped');
  return !(end instanceof Error);
}

/** DATABASE_URL. Throws ConfigurationError `missing_setting`. */
export function requireDatabaseUrl(env: NodeJS.ProcessEnv): string {
  const environment = readEnvironment(env);
  requireSettings(environment, ['migrate']);
  if (environment.databaseUrl !== null) return environment.databaseUrl;
  throw new ConfigurationError('DATABASE_URL is not set.', { code: 'missing_setting' });
}
