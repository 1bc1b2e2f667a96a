import { Connection } from '@temporalio/client';
import pg from 'pg';
import { SLACK_API_URL } from '../bot/transport/web-client.ts';
import { assertSchemaCurrent } from '../db/migrate.ts';
import { MedicError } from '../domain/errors.ts';
import { openConfigStore } from '../services/config/config-store.ts';
import type { Environment } from '../services/config/environment.ts';
import { loadSigner, requireSettings } from '../services/config/required-settings.ts';
import { SLACK_CHECKS } from './doctor-slack.ts';
import { explainDatabaseFailure } from './explain-database-failure.ts';
import { probeNamespace } from './temporal-connection.ts';

export interface Check {
  name: string;
  /** Resolves with what was found; throws with the remedy. */
  run(environment: Environment): Promise<string>;
}

const CLOCK_SKEW_MS = 60_000; // contract §5: what agents and control plane may differ by
const CONNECT_MS = 5_000;
const SIGNATURE_WINDOW_MS = 300_000; // requests of Slack that are older, or newer, are refused
const REACH_MS = 5_000;

/** In the order in which a person mends them. None changes anything. */
export const CHECKS: readonly Check[] = [
  { name: 'settings', run: checkSettings },
  { name: 'database', run: checkDatabase },
  { name: 'temporal', run: checkTemporal },
  ...SLACK_CHECKS,
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

async function checkConfiguration({ configDirectory }: Environment): Promise<string> {
  const config = (await openConfigStore({ directory: configDirectory })).current();
  const told = `${config.playbooks.size} playbooks, ${config.principals.size} principals`;
  return configDirectory === null ? `${told}: MEDIC_CONFIG is not set, so nobody can decide` : told;
}

/** Against the database's, which agents and deadlines go by, and against Slack's, which its signatures go by. */
async function checkClock({ databaseUrl, slack }: Environment): Promise<string> {
  const clocks = [
    { whose: 'the database', skewMs: await skewOfDatabase(databaseUrl), limitMs: CLOCK_SKEW_MS },
    {
      whose: 'Slack',
      skewMs: slack.botToken === null ? null : await skewOfSlack(slack.apiUrl ?? SLACK_API_URL),
      limitMs: SIGNATURE_WINDOW_MS,
    },
  ];
  const told: string[] = [];
  for (const { whose, skewMs, limitMs } of clocks) {
    if (skewMs === null) continue;
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    if (Math.abs(skewMs) > limitMs) {
      const side = skewMs > 0 ? 'ahead of' : 'behind';
      throw new Error(`This clock is ${seconds} s ${side} ${whose}'s: turn time synchronisation on.`);
    }
    told.push(`within ${Math.max(seconds, 1)} s of ${whose}'s`);
  }
  return told.length === 0 ? 'not compared: there is nothing to compare with' : told.join(', ');
}

/** Null where it cannot be asked. */
async function skewOfDatabase(databaseUrl: string | null): Promise<number | null> {
  if (databaseUrl === null) return null;
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined); // a query that fails tells it
  try {
    await client.connect();
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    return Date.now() - (rows[0]?.now.getTime() ?? 0);
  } catch {
    return null; // the check of the database says why
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** By the date of an answer, to the second; null where it does not answer. */
async function skewOfSlack(apiUrl: string): Promise<number | null> {
  const request = fetch(new URL('api.test', apiUrl), { method: 'POST', signal: AbortSignal.timeout(REACH_MS) });
  const answer = await request.catch(() => null); // the check of the token says why
  const date = Date.parse(answer?.headers.get('date') ?? '');
  return Number.isNaN(date) ? null : Date.now() - date;
}

export function explainCheck(error: unknown): string {
  if (error instanceof MedicError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
