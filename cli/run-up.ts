import { pino } from 'pino';
import type { Logger } from 'pino';
import { migrateUp } from '../db/migrate.ts';
import { claimDataDir } from '../sandbox/data-dir.ts';
import type { DataDir } from '../sandbox/data-dir.ts';
import { takePort } from '../sandbox/ports.ts';
import { startPostgres } from '../sandbox/postgres.ts';
import type { RunningPostgres } from '../sandbox/postgres.ts';
import { keepSecrets } from '../sandbox/sandbox-secrets.ts';
import { startTemporal } from '../sandbox/temporal.ts';
import type { RunningTemporal } from '../sandbox/temporal.ts';
import { readEnvironment } from '../services/config/environment.ts';
import type { Environment, RawEnvironment } from '../services/config/environment.ts';
import { startControlPlane } from './control-plane.ts';
import { explainDatabaseFailure } from './explain-database-failure.ts';
import { createStopList } from './stop-list.ts';
import type { StopList } from './stop-list.ts';
import { limitStop, waitForStopSignal } from './stop-signal.ts';

const LISTEN_PORT = 8480; // contract §3

/**
 * Everything in one process until SIGTERM or SIGINT, also while it starts; SIGHUP reloads. Migrates the database.
 * What is not configured is embedded, with its data and keys in `dataPath`. False where a part died on its own.
 */
export async function runUp(env: NodeJS.ProcessEnv, dataPath: string): Promise<boolean> {
  const configured = readEnvironment(env);
  const log = pino({ level: configured.logLevel });
  const stops = createStopList(log);
  const asked = waitForStopSignal();
  const starting = start({ env, configured, dataPath, log, stops });
  try {
    const started = await Promise.race([starting, asked]);
    if (typeof started === 'string') {
      limitStop();
      await stops.run();
      process.exit(0); // what waits for a part that is still starting waits in vain
    }
    const end = await Promise.race([asked, started.died]);
    if (end instanceof Error) log.fatal({ err: end }, 'a part died; the process ends');
    return !(end instanceof Error);
  } finally {
    limitStop();
    await stops.run();
  }
}

interface UpInput {
  env: NodeJS.ProcessEnv;
  configured: Environment;
  dataPath: string;
  log: Logger;
  stops: StopList;
}

async function start({ env, configured, dataPath, log, stops }: UpInput): Promise<{ died: Promise<Error> }> {
  const dataDir = claimDataDir(dataPath);
  stops.add('the data folder', () => Promise.resolve(dataDir.release()));
  const [database, temporal] = await Promise.all([
    bringDatabase(configured, dataDir, stops),
    bringTemporal(configured, dataDir, stops),
  ]);
  const embedded = { ...database?.settings, ...temporal?.settings };
  const settings = { ...env, ...embedded, ...bringKeys(configured, dataDir), ...(await bringPort(env)) };
  const environment = readEnvironment(settings);
  const url = environment.databaseUrl ?? '';
  await migrateUp(url).catch((error: unknown) => {
    throw explainDatabaseFailure(error, url);
  });
  const controlPlane = await startControlPlane({ parts: new Set(['api', 'bot', 'worker']), environment, log });
  stops.add('the control plane', () => controlPlane.stop());
  process.on('SIGHUP', () => void controlPlane.reload());
  log.info({ url: controlPlane.url, dataPath: dataDir.path, embedded: Object.keys(embedded) }, 'ready');
  const { configDirectory } = environment;
  sayReady({ url: controlPlane.url, dataPath: dataDir.path, configDirectory, database, temporal });
  return controlPlane;
}

interface Embedded<Running> {
  running: Running;
  settings: RawEnvironment;
}

async function bringDatabase(
  configured: Environment,
  dataDir: DataDir,
  stops: StopList,
): Promise<Embedded<RunningPostgres> | null> {
  if (configured.databaseUrl !== null) return null;
  const postgres = await startPostgres({ dataDir: dataDir.at('postgres') });
  stops.add('PostgreSQL', () => postgres.stop());
  return { running: postgres, settings: { DATABASE_URL: postgres.url } };
}

/** The embedded service speaks no TLS and asks for no key. */
async function bringTemporal(
  configured: Environment,
  dataDir: DataDir,
  stops: StopList,
): Promise<Embedded<RunningTemporal> | null> {
  if (configured.temporal.address !== null) return null;
  const { namespace } = configured.temporal;
  const temporal = await startTemporal({ dbFile: dataDir.at('temporal', 'temporal.db'), namespace });
  stops.add('Temporal', () => temporal.stop());
  const plain = { TEMPORAL_TLS: '', TEMPORAL_API_KEY: '', TEMPORAL_API_KEY_FILE: '' };
  return { running: temporal, settings: { TEMPORAL_ADDRESS: temporal.address, ...plain } };
}

/** For the person who started it; on stderr, because stdout is the log. */
function sayReady(input: {
  url: string | null;
  dataPath: string;
  configDirectory: string | null;
  database: Embedded<RunningPostgres> | null;
  temporal: Embedded<RunningTemporal> | null;
}): void {
  const { url, dataPath, configDirectory, database, temporal } = input;
  const lines = [`control plane  ${url ?? ''}`];
  if (temporal !== null) lines.push(`Temporal       ${temporal.running.address}`);
  if (database !== null) {
    const { port, rootFolder, url: databaseUrl } = database.running;
    const config = `MEDIC_CONFIG=${configDirectory ?? 'FOLDER'}`;
    lines.push(`PostgreSQL     127.0.0.1:${port}${rootFolder === null ? '' : `, its files in ${rootFolder}`}`);
    lines.push(`make a token   DATABASE_URL=${databaseUrl} ${config} medic token create --principal NAME --role ROLE`);
  }
  lines.push(`data           ${dataPath}`);
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Kept beside the data: what one start signed, a later one must read. */
function bringKeys({ signingKeyPem, secretsKey }: Environment, dataDir: DataDir): RawEnvironment {
  if (signingKeyPem !== null && secretsKey !== null) return {};
  const kept = keepSecrets(dataDir.at('secrets.json'));
  return {
    ...(signingKeyPem === null ? { MEDIC_SIGNING_KEY: kept.signingKeyPem.replaceAll('\n', '\\n') } : {}),
    ...(secretsKey === null ? { MEDIC_SECRETS_KEY: kept.secretsKey } : {}),
  };
}

/** A port that was asked for is kept or refused; the default one gives way to the next free one. */
async function bringPort(env: NodeJS.ProcessEnv): Promise<RawEnvironment> {
  if ((env['MEDIC_LISTEN'] ?? '') !== '') return {};
  const { port, sentence } = await takePort(LISTEN_PORT);
  if (sentence !== null) process.stderr.write(`${sentence}\n`);
  return { MEDIC_LISTEN: `127.0.0.1:${port}` };
}
