import type { Logger } from 'pino';
import { createSlackDirectory } from '../bot/slack-directory.ts';
import { OUTBOX_CHANNEL, WAKE_CHANNEL } from '../db/announce.ts';
import { assertSchemaCurrent } from '../db/migrate.ts';
import { openDatabase } from '../db/orm.ts';
import type { Database } from '../db/orm.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { recordConfigLoaded } from '../services/audit/record-config.ts';
import { openConfigStore } from '../services/config/config-store.ts';
import type { Environment } from '../services/config/environment.ts';
import { checkSigner } from '../services/keys/command-keys.ts';
import { loadSigner, requireSettings } from '../services/config/required-settings.ts';
import type { CommandSigner, Context } from '../services/context.ts';
import type { SlackDirectory } from '../services/slack/directory.ts';
import { createWakes } from '../services/wakes.ts';
import { explainDatabaseFailure } from './explain-database-failure.ts';
import { startParts } from './parts.ts';
import { createStopList } from './stop-list.ts';
import { connectTemporal } from './temporal-connection.ts';

export type Part = 'api' | 'bot' | 'worker';

export interface ControlPlane {
  /** Where the API listens; null without that part. */
  url: string | null;
  ctx: Context;
  /** Settles with what went wrong when a part died on its own; never otherwise. */
  died: Promise<Error>;
  /** Reads the configuration anew; a broken one is told in the log and the old set stays. */
  reload(): Promise<void>;
  /** Answers held requests at once, drains, closes. Safe to call again. */
  stop(): Promise<void>;
}

export interface ControlPlaneInput {
  parts: ReadonlySet<Part>;
  environment: Environment;
  log: Logger;
  /** The workflows, bundled ahead; else the bundle kept in the user's cache is taken, or built. */
  workflowBundlePath?: string;
}

/**
 * The control plane, or some of its parts, in this process. It migrates nothing. Throws ConfigurationError
 * (`missing_setting`, `schema_behind`, `schema_ahead`, `invalid_config`, …) or UnavailableError (`database_away`,
 * `temporal_away`); what was opened until then is closed again. Slack may be away: its part comes up when it can.
 */
export async function startControlPlane(input: ControlPlaneInput): Promise<ControlPlane> {
  const { environment, log, parts } = input;
  const needed = [...parts].filter((part) => part !== 'bot' || hasSlack(environment) || parts.size === 1);
  requireSettings(environment, needed);
  const stops = createStopList(log);
  try {
    const ctx = await openContext(input, stops.add);
    const started = await startParts({ ...input, parts: new Set(needed), ctx: ctx.context, native: ctx.native, stops });
    const reload = (): Promise<void> => reloadConfig(ctx.context);
    return { url: started.url, ctx: ctx.context, died: started.died, reload, stop: stops.run };
  } catch (error) {
    await stops.run();
    throw error;
  }
}

/** Without a bot token the API and the worker run alone. */
function hasSlack(environment: Environment): boolean {
  return environment.slack.botToken !== null;
}

type AddStop = (name: string, stop: () => Promise<unknown>) => void;

async function openContext(input: ControlPlaneInput, addStop: AddStop) {
  const { environment, log } = input;
  const url = environment.databaseUrl ?? '';
  const signer = await readSigner(environment);
  await assertSchemaCurrent(url).catch((error: unknown) => {
    throw explainDatabaseFailure(error, url);
  });
  const database = await openQuietDatabase(url, log);
  addStop('the database', () => database.close());
  if (environment.signingKeyPem !== null) await checkSigner({ database, signer, log });
  const config = await openConfigStore({
    directory: environment.configDirectory,
    onLoaded: recordConfigLoaded(database),
  });
  const { gateway, native, close } = await connectTemporal({ environment, log, isWorker: input.parts.has('worker') });
  addStop('the connection to Temporal', close);
  const onError = (error: Error): void => {
    log.warn({ err: error }, 'lost the connection that hears of changes; connecting again');
  };
  const wakes = createWakes({ url, channels: [OUTBOX_CHANNEL, WAKE_CHANNEL], onError });
  addStop('the wakes', () => wakes.stop());
  const slackDirectory = openSlackDirectory(environment, log);
  const { secretsKey } = environment;
  const context: Context = { database, temporal: gateway, config, signer, wakes, slackDirectory, secretsKey, log };
  return { context, native };
}

/** Every part that judges asks Slack who people are, not only the bot. */
function openSlackDirectory(environment: Environment, log: Logger): SlackDirectory | null {
  const { botToken: token, apiUrl } = environment.slack;
  return token === null ? null : createSlackDirectory({ token, apiUrl: apiUrl ?? undefined, log });
}

function openQuietDatabase(url: string, log: Logger): Promise<Database> {
  const onError = (error: Error): void => {
    log.warn({ err: error }, 'lost an idle connection to the database; it is replaced');
  };
  return openDatabase({ url, onError });
}

/** Bot and worker sign nothing, so they start without the key; where it is set it is checked all the same. */
async function readSigner(environment: Environment): Promise<CommandSigner> {
  if (environment.signingKeyPem !== null) return loadSigner(environment);
  const refuse = (): never => {
    throw new ConfigurationError('MEDIC_SIGNING_KEY is not set, and this needs a signature.', {
      code: 'missing_setting',
    });
  };
  return Object.defineProperties({} as CommandSigner, {
    kid: { get: refuse },
    privateKey: { get: refuse },
    publicJwk: { get: refuse },
  });
}

async function reloadConfig({ config, log }: Context): Promise<void> {
  try {
    const outcome = await config.reload();
    if (outcome.isReloaded) log.info('configuration reloaded');
    else log.error({ problems: outcome.problems }, 'the configuration is broken; the old one stays in force');
  } catch (error) {
    log.error({ err: error }, 'the configuration could not be recorded; the old one stays in force');
  }
}
