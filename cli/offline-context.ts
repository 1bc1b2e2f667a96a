import { pino } from 'pino';
import { assertSchemaCurrent } from '../db/migrate.ts';
import { openDatabase } from '../db/orm.ts';
import type { Asker } from '../domain/principal.ts';
import { SYSTEM_ACTOR } from '../domain/principal.ts';
import { openConfigStore } from '../services/config/config-store.ts';
import { readEnvironment } from '../services/config/environment.ts';
import { loadSigner } from '../services/config/required-settings.ts';
import type { Context } from '../services/context.ts';
import { explainDatabaseFailure } from './explain-database-failure.ts';
import { requireDatabaseUrl } from './run-control-plane.ts';

/** Who holds the control plane's environment may do what its admins may; the audit says `system`, via `cli`. */
export const OPERATOR: Asker = {
  principal: { name: SYSTEM_ACTOR, roles: ['admin'], slackUserId: null, groups: [] },
  roles: ['admin'],
  via: 'cli',
};

/**
 * Runs `work` on the database and configuration alone, for use cases that need neither Temporal nor a key; asking for
 * one of these is a bug and throws.
 */
export function withOfflineContext<T>(env: NodeJS.ProcessEnv, work: (ctx: Context) => Promise<T>): Promise<T> {
  return withParts(env, {}, work);
}

/** The same with the key of MEDIC_SIGNING_KEY. Throws ConfigurationError `missing_setting`, `bad_signing_key`. */
export async function withSigningContext<T>(env: NodeJS.ProcessEnv, work: (ctx: Context) => Promise<T>): Promise<T> {
  return withParts(env, { signer: await loadSigner(readEnvironment(env)) }, work);
}

async function withParts<T>(
  env: NodeJS.ProcessEnv,
  parts: Partial<Pick<Context, 'signer'>>,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const url = requireDatabaseUrl(env);
  const { configDirectory, secretsKey } = readEnvironment(env);
  await assertSchemaCurrent(url).catch((error: unknown) => {
    throw explainDatabaseFailure(error, url);
  });
  const log = pino({ level: 'silent' });
  const database = await openDatabase({ url, poolSize: 2, onError: (error) => log.warn({ err: error }) });
  try {
    const config = await openConfigStore({ directory: configDirectory });
    const offline = { database, config, secretsKey, log, ...parts };
    return await work(new Proxy(offline, { get: readOrRefuse }) as unknown as Context);
  } catch (error) {
    throw isOfDatabase(error) ? explainDatabaseFailure(error, url) : error;
  } finally {
    await database.close();
  }
}

function readOrRefuse(target: object, name: string | symbol): unknown {
  if (name in target) return Reflect.get(target, name);
  throw new Error(`${String(name)} is not there offline`);
}

function isOfDatabase(error: unknown): boolean {
  return typeof (error as { severity?: unknown } | null)?.severity === 'string';
}
