import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { durably } from '../domain/durable-step.ts';
import { ConfigurationError, InvalidInputError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { openDatabase } from './orm.ts';
import type { Database } from './orm.ts';

export interface MigrationStatus {
  applied: string[];
  pending: string[];
  /** Applied by a newer Medic than this one. */
  unknown: string[];
}

const CLOSE_TIMEOUT_MS = 2_000; // far longer than closing two connections takes
const LOCK = 6_334_221; // any number, as long as every Medic takes the same
const NAMES = MIGRATIONS.map(({ name }) => name);

/** Applies what is pending, up to and with `to`, all or nothing. Two at once: the second waits and finds nothing to do. */
export async function migrateUp(url: string, options: { to?: string } = {}): Promise<string[]> {
  return withMigrator(url, options.to, async (database) => {
    const to = options.to === undefined ? {} : { to: options.to };
    const done = await durably('schema.migrate', () => database.orm.migrator.up(to));
    return done.map(({ name }) => name);
  });
}

/** Takes back the newest one, or everything newer than `to`; `to: '0'` takes back all. What the older schema can hold stays. */
export async function migrateDown(url: string, options: { to?: string } = {}): Promise<string[]> {
  const target = options.to === '0' ? undefined : options.to;
  return withMigrator(url, target, async (database) => {
    const { unknown } = await readStatus(url);
    if (unknown.length > 0) {
      throw schemaAhead(unknown);
    }
    const to = options.to === '0' ? { to: 0 as const } : { ...(target === undefined ? {} : { to: target }) };
    const done = await durably('schema.migrate', () => database.orm.migrator.down(to));
    return done.map(({ name }) => name);
  });
}

/** Reads only: it makes no table, so that it can be asked of a database that is not ours. */
export function migrationStatus(url: string): Promise<MigrationStatus> {
  return readStatus(url);
}

/** Throws ConfigurationError `schema_behind` or `schema_ahead` with the command that mends it. */
export async function assertSchemaCurrent(url: string): Promise<void> {
  const { pending, unknown } = await readStatus(url);
  if (unknown.length > 0) {
    throw schemaAhead(unknown);
  }
  if (pending.length > 0) {
    throw new ConfigurationError(
      `The database's schema is behind: ${pending.join(', ')} not applied. Run \`medic migrate up\`, then start again.`,
      { code: 'schema_behind', details: { pending } },
    );
  }
}

function schemaAhead(unknown: string[]): ConfigurationError {
  return new ConfigurationError(
    `The database's schema is ahead of this Medic: it does not know ${unknown.join(', ')}. ` +
      'Start the newer Medic, or run `medic migrate down` with the newer one first.',
    { code: 'schema_ahead', details: { unknown } },
  );
}

async function withMigrator<T>(
  url: string,
  to: string | undefined,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  assertKnown(to);
  const client = await connect(url);
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const database = await openDatabase({ url, poolSize: 2, onError: () => undefined });
    try {
      return await work(database);
    } finally {
      // A connection that died in the middle is never given back, and then closing would wait for it without end.
      await Promise.race([database.close(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    }
  } finally {
    await client.end();
  }
}

function assertKnown(to: string | undefined): void {
  if (to === undefined || NAMES.includes(to)) {
    return;
  }
  throw new InvalidInputError(`There is no migration ${to}.${suggestNearest(to, NAMES)} Known: ${NAMES.join(', ')}.`, {
    code: 'unknown_migration',
  });
}

async function readStatus(url: string): Promise<MigrationStatus> {
  const client = await connect(url);
  try {
    const { rows: tables } = await client.query<{ found: boolean }>(
      `select to_regclass('medic_migrations') is not null as found`,
    );
    const { rows } = tables[0]?.found
      ? await client.query<{ name: string }>('select name from medic_migrations order by id')
      : { rows: [] };
    const applied = rows.map(({ name }) => name);
    return {
      applied,
      pending: NAMES.filter((name) => !applied.includes(name)),
      unknown: applied.filter((name) => !NAMES.includes(name)),
    };
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // the query in flight rejects with it
  await client.connect();
  return client;
}
