import pg from 'pg';

const INT8 = 20; // PostgreSQL's type number of bigint
/** Nothing but the database is waited for in a transaction: a process that sleeps this long in one is frozen or gone. */
const ASLEEP_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000; // a database that is away must be told, not waited for

/**
 * bigint arrives as a number, where pg would give text: every bigint of ours counts something and stays below 2^53;
 * one that does not stays text. Set for these connections only, never for all of pg.
 */
export function createTypes(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, (text: string) => (Number.isSafeInteger(Number(text)) ? Number(text) : text));
  return types;
}

/**
 * What sleeps in a transaction loses it, and with it its locks, so that one frozen process holds up no other.
 *
 * Every client and the pool have an `error` handler, or a restart of the database would kill the process.
 */
export function createPool({
  url,
  size = 10,
  onError,
}: {
  url: string;
  size?: number;
  onError(error: Error): void;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: ASLEEP_MS,
    types: createTypes(),
    application_name: 'medic',
  });
  pool.on('error', onError);
  // A client that is checked out when its connection dies tells its holder; this only keeps it from being uncaught.
  pool.on('connect', (client) => client.on('error', onError));
  return pool;
}
