import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Transaction } from 'kysely';
import type pg from 'pg';
import type { AuditInput } from '../domain/audit.ts';
import type { DurableStep } from '../domain/durable-step.ts';
import { passCrashPoint } from '../domain/durable-step.ts';
import { appendAuditEvents } from './audit-chain.ts';
import { ENTITIES } from './entities/index.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { createPool } from './pool.ts';
import type { Tables } from './tables.ts';

/** One pool; the ORM and Kysely both draw from it. */
export interface Database {
  orm: MikroORM;
  kysely: Kysely<Tables>;
  pool: pg.Pool;
  url: string;
  close(): Promise<void>;
}

/** Both `em` and `kysely` work on the transaction's one connection. */
export interface Tx {
  em: EntityManager;
  kysely: Transaction<Tables>;
  /** Buffered; appended in order as the last statements before the commit. */
  audit(event: AuditInput): void;
  /** Buffered; told at the commit, each payload of a channel once. */
  notify(channel: string, payload: string): void;
}

/**
 * Connects nothing yet: the first query does. `onError` hears of connections lost while idle, which the pool replaces;
 * without it a restart of the database would end the process.
 */
export async function openDatabase(input: {
  url: string;
  poolSize?: number;
  onError(error: Error): void;
}): Promise<Database> {
  const { url, onError } = input;
  const pool = createPool({ url, onError, ...(input.poolSize === undefined ? {} : { size: input.poolSize }) });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const orm = new MikroORM({
    entities: ENTITIES,
    clientUrl: url,
    driverOptions: kysely,
    extensions: [Migrator],
    // Only the migrations know triggers and functions; the comparison of schemas leaves them alone.
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true },
    migrations: {
      migrationsList: MIGRATIONS,
      tableName: 'medic_migrations',
      snapshotName: 'schema-snapshot',
      snapshot: false,
      silent: true,
    },
  });
  const close = async (): Promise<void> => {
    await orm.close(true);
    if (!pool.ended) await pool.end(); // an idle connection would keep the process alive
  };
  return { orm, kysely, pool, url, close };
}

/**
 * Runs `work` in one READ COMMITTED transaction and commits, or rolls back with what it threw. Nothing is retried.
 *
 * INVARIANTS for callers: whoever locks several locks the server before the gate of the halts (halt.repository.ts) before
 * the action before the decision; nothing outside the database is called in `work`; every change names its audit event
 * here.
 */
export async function transact<T>(database: Database, step: DurableStep, work: (tx: Tx) => Promise<T>): Promise<T> {
  // Kysely's own transaction, and the ORM joined to it: a controlled one (em.transactional) keeps its connection from
  // the pool for ever where the database dies in its middle.
  const value = await database.kysely
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (kysely) => {
      const em = database.orm.em.fork();
      em.setTransactionContext(kysely);
      const events: AuditInput[] = [];
      const wakes = new Map<string, Set<string>>();
      const result = await work({
        em,
        kysely,
        audit: (event) => void events.push(event),
        notify: (channel, payload) => void wakes.set(channel, (wakes.get(channel) ?? new Set()).add(payload)),
      });
      await em.flush();
      for (const [channel, payloads] of wakes) {
        const list = sql`unnest(${[...payloads]}::text[])`;
        await sql`select pg_notify(${channel}, payload) from ${list} as payload`.execute(kysely);
      }
      await appendAuditEvents(kysely, events);
      passCrashPoint(`${step}:before`);
      return result;
    });
  passCrashPoint(`${step}:after`);
  return value;
}
