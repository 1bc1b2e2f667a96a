import { WebClient } from '@slack/web-api';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { pino } from 'pino';
import { SCOPES } from '../bot/manifest.ts';
import { readSlackFailure, webClientOptions } from '../bot/transport/web-client.ts';
import { assertSchemaCurrent } from '../db/migrate.ts';
import { MedicError } from '../domain/errors.ts';
import { openConfigStore } from '../services/config/config-store.ts';
import type { Environment } from '../services/config/environment.ts';
import { loadSigner, requireSettings } from '../services/config/required-settings.ts';
import { explainDatabaseFailure } from './explain-database-failure.ts';
import { probeNamespace } from './temporal-connection.ts';

export interface Check {
  name: string;
  /** Resolves with what was found; throws with the remedy. */
  run(environment: Environment): Promise<string>;
}

const CLOCK_SKEW_MS = 60_000; // contract §5: what agents and control plane may differ by
const CONNECT_MS = 5_000;
const DEFAULT_SLACK_API = 'https://slack.com/api/';

/** In the order in which a person mends them. None changes anything. */
export const CHECKS: readonly Check[] = [
  { name: 'settings', run: checkSettings },
  { name: 'database', run: checkDatabase },
  { name: 'temporal', run: checkTemporal },
  { name: 'slack', run: checkSlack },
  { name: 'configuration', run: checkConfiguration },
  { name: 'clock', run: checkClock },
];

async function checkSettings(environment: Environment): Promise<string> {
  const hasSlack = environment.slack.botToken !== null;
  requireSettings(environment, hasSlack ? ['api', 'worker', 'bot'] : ['api', 'worker']);
  const { kid } = await loadSigner(environment);
  return `all that is needed is set; commands are signed with the key ${kid}`;
}

async function checkDatabase({ databaseUrl }: Environment): Promise<string> {
  if (databaseUrl === null) throw new Error('DATABASE_URL is not set.');
  await assertSchemaCurrent(databaseUrl).catch((error: unknown) => {
    throw explainDatabaseFailure(error, databaseUrl);
  });
  return 'reachable, and its schema is current';
}

async function checkTemporal({ temporal }: Environment): Promise<string> {
  const { address, namespace, apiKey, isTls } = temporal;
  if (address === null) throw new Error('TEMPORAL_ADDRESS is not set.');
  const connection = Connection.lazy({ address, tls: isTls, ...(apiKey === null ? {} : { apiKey }) });
  try {
    const failure = await probeNamespace(connection, namespace);
    if (failure === null) return `${address} serves the namespace ${namespace}`;
    throw new Error(
      `${address} does not serve the namespace "${namespace}" (${failure.message}): start it, create the namespace, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.`,
    );
  } finally {
    await connection.close();
  }
}

async function checkSlack({ slack }: Environment): Promise<string> {
  if (slack.botToken === null) return 'not set up: without SLACK_BOT_TOKEN the API and the worker run alone';
  const options = webClientOptions({ apiUrl: slack.apiUrl ?? DEFAULT_SLACK_API, log: pino({ level: 'silent' }) });
  const client = new WebClient(slack.botToken, options);
  const answer = await client.auth.test().catch((error: unknown) => {
    const { code } = readSlackFailure(error);
    throw new Error(`Slack does not take SLACK_BOT_TOKEN (${code}): copy it anew from “OAuth & Permissions”.`);
  });
  const granted = answer.response_metadata?.scopes;
  const missing = granted === undefined ? [] : SCOPES.filter((scope) => !granted.includes(scope));
  if (missing.length > 0) {
    const command = '`medic slack manifest`';
    throw new Error(`The Slack app lacks ${missing.join(', ')}: apply ${command} and install the app again.`);
  }
  return `${answer.user ?? 'the app'} in ${answer.team ?? 'the workspace'}; ${await checkChannel(client, slack.channel)}`;
}

/** Only a scope that the app may lack can look into a channel, so what cannot be seen is no failure. */
async function checkChannel(client: WebClient, channel: string | null): Promise<string> {
  if (channel === null) throw new Error('MEDIC_SLACK_CHANNEL is not set: set it to the id of the channel for cards.');
  try {
    await client.conversations.history({ channel, limit: 1 });
    return `it is in the channel ${channel}`;
  } catch (error) {
    const { code } = readSlackFailure(error);
    if (code === 'channel_not_found' || code === 'not_in_channel') {
      throw new Error(`The app is not in the channel ${channel} (${code}): type /invite @Medic there.`, {
        cause: error,
      });
    }
    return `the channel ${channel} was not looked into (${code})`;
  }
}

async function checkConfiguration({ configDirectory }: Environment): Promise<string> {
  const config = (await openConfigStore({ directory: configDirectory })).current();
  const told = `${config.playbooks.size} playbooks, ${config.principals.size} principals`;
  return configDirectory === null ? `${told}: MEDIC_CONFIG is not set, so nobody can decide` : told;
}

async function checkClock({ databaseUrl }: Environment): Promise<string> {
  if (databaseUrl === null) return 'not compared: there is no database to compare with';
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined); // a query that fails tells it
  try {
    await client.connect();
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    const skewMs = Date.now() - (rows[0]?.now.getTime() ?? 0);
    if (Math.abs(skewMs) <= CLOCK_SKEW_MS) return `within ${Math.abs(skewMs)} ms of the database's`;
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    throw new Error(
      `This clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the database's: turn time synchronisation on.`,
    );
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('This clock')) throw error;
    return 'not compared: the database is away';
  } finally {
    await client.end().catch(() => undefined);
  }
}

export function explainCheck(error: unknown): string {
  if (error instanceof MedicError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
