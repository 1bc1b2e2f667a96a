import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { migrateUp } from '../../db/migrate.ts';
import { openDatabase } from '../../db/orm.ts';
import type { Database } from '../../db/orm.ts';

export interface TestDatabase {
  url: string;
  database: Database;
  /** Closes and removes it, also where somebody is still connected. */
  drop(): Promise<void>;
}

const LOCK = 7_713_009; // any number: whoever makes the template holds it
const MIGRATIONS_FOLDER = new URL('../../db/migrations/', import.meta.url);

/**
 * A database of its own with the newest schema: a clone of a template that is made once for each set of migrations, on
 * the PostgreSQL of this run where no other is given.
 */
export async function createTestDatabase({ adminUrl = readUrl() } = {}): Promise<TestDatabase> {
  const template = await makeTemplate(adminUrl);
  const { url, drop } = await createDatabase(adminUrl, `template ${template}`);
  const database = await openDatabase({ url, onError: () => undefined });
  return {
    url,
    database,
    drop: async () => {
      await database.close();
      await drop();
    },
  };
}

/** An empty database without any table. */
export function createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  return createDatabase(readUrl(), 'template template0');
}

async function createDatabase(adminUrl: string, options: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `medic_test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(adminUrl, (client) => client.query(`create database ${name} ${options}`));
  const drop = `drop database if exists ${name} with (force)`;
  return {
    url: urlOf(adminUrl, name),
    drop: async () => void (await asAdmin(adminUrl, (client) => client.query(drop))),
  };
}

async function makeTemplate(adminUrl: string): Promise<string> {
  const name = `medic_template_${await hashMigrations()}`;
  await asAdmin(adminUrl, async (client) => {
    if (await exists(client, name)) {
      return;
    }
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    if (await exists(client, name)) {
      return;
    }
    // Made under another name, so that a run killed half way leaves no half template behind.
    const draft = `${name}_draft`;
    await client.query(`drop database if exists ${draft} with (force)`);
    await client.query(`create database ${draft} template template0`);
    await migrateUp(urlOf(adminUrl, draft));
    await client.query(`alter database ${draft} rename to ${name}`);
  });
  return name;
}

async function exists(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
  return rowCount === 1;
}

async function hashMigrations(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(MIGRATIONS_FOLDER)).toSorted()) {
    hash.update(file).update(await readFile(new URL(file, MIGRATIONS_FOLDER)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function asAdmin<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function readUrl(): string {
  const url = process.env['MEDIC_TEST_POSTGRES_URL'];
  if (url === undefined || url === '') {
    throw new Error('MEDIC_TEST_POSTGRES_URL is missing: run the tests with `npm test`, which starts a PostgreSQL.');
  }
  return url;
}
