import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { assertSchemaCurrent, migrateDown, migrateUp, migrationStatus } from '../../db/migrate.ts';
import { MIGRATIONS } from '../../db/migrations/index.ts';
import { openDatabase } from '../../db/orm.ts';
import { arrange } from '../support/arrange.ts';
import type { Database } from '../../db/orm.ts';
import { seedAction, seedDecision, seedServer, walkAction } from '../fixtures/db/seed.ts';
import { createEmptyDatabase } from '../support/database.ts';

const NAMES = MIGRATIONS.map(({ name }) => name);

describe('migrations', () => {
  let url: string;
  let drop: () => Promise<void>;

  beforeEach(async () => {
    ({ url, drop } = await createEmptyDatabase());
  });
  afterEach(() => drop());

  async function use<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await openDatabase({ url, onError: () => undefined });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  /** A row without the columns that the older table does not have. */
  const keepColumns = (row: object, olderRows: object[] = []): object => {
    const columns = Object.keys(olderRows[0] ?? {});
    return Object.fromEntries(Object.entries(row).filter(([column]) => columns.includes(column)));
  };

  const readAll = (database: Database): Promise<object[][]> =>
    Promise.all(
      ['servers', 'actions', 'decisions', 'audit_events', 'audit_head'].map(
        async (table) => (await database.pool.query<object>(`select * from ${table} order by 1`)).rows,
      ),
    );

  test('leave entities and schema the same', async () => {
    await migrateUp(url);
    await use(async ({ orm }) => {
      expect(await orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('');
    });
  });

  test('tell drift where a column is missing, another type or an index gone', async () => {
    await migrateUp(url);
    await use(async ({ orm, pool }) => {
      await pool.query('alter table servers drop column os');
      await pool.query('alter table alerts alter column title type varchar(20)');
      await pool.query('drop index commands_one_at_a_time');
      const sql = await orm.schema.getUpdateSchemaSQL({ wrap: false });
      expect(sql).toMatch(/add column? "os"|add "os"/);
      expect(sql).toContain('"title"');
      expect(sql).toContain('commands_one_at_a_time');
    });
  });

  test('go down and up again over rows without losing what the older schema holds', async () => {
    await migrateUp(url);
    const before = await use(async (database) => {
      const serverId = await seedServer(database);
      const id = await seedAction(database, { serverId, approvals_required: 1 });
      await seedDecision(database, { actionId: id, principal: 'bob' });
      await walkAction(database, id, 'approved', 'executing', 'completed');
      await arrange(database, async (tx) =>
        tx.audit({ actor: 'ana', via: 'cli', event: 'action.requested', subject: { type: 'action', id } }),
      );
      return readAll(database);
    });
    expect(await migrateDown(url, { to: '0001-initial' })).toEqual(NAMES.slice(1).toReversed());
    const older = await use(readAll);
    expect(older).toEqual(before.map((rows, table) => rows.map((row) => keepColumns(row, older[table]))));
    expect(await migrateUp(url)).toEqual(NAMES.slice(1));
    await assertSchemaCurrent(url);
    await use(async (database) => {
      expect(await readAll(database)).toEqual(before);
      const serverId = await seedServer(database);
      const id = await seedAction(database, { serverId });
      await walkAction(database, id, 'approved');
      await arrange(database, async (tx) =>
        tx.audit({ actor: 'auto', via: 'workflow', event: 'action.approved', subject: { type: 'action', id } }),
      );
      const { rows } = await database.pool.query('select max(approved_seq) as last from actions');
      expect(rows).toEqual([{ last: 2 }]);
    });
  });

  test('go down to nothing and up again', async () => {
    await migrateUp(url);
    await migrateDown(url, { to: '0' });
    expect(await migrationStatus(url)).toEqual({ applied: [], pending: NAMES, unknown: [] });
    expect(await migrateUp(url)).toEqual(NAMES);
  });

  test('run once where two processes start them at the same time', async () => {
    const done = await Promise.all([migrateUp(url), migrateUp(url), migrateUp(url)]);
    expect(done.flat()).toEqual(NAMES);
  });

  test('are told as behind, with the command that mends it, and nothing is written by asking', async () => {
    await expect(assertSchemaCurrent(url)).rejects.toMatchObject({ code: 'schema_behind' });
    await expect(assertSchemaCurrent(url)).rejects.toThrow('medic migrate up');
    await migrateUp(url, { to: '0001-initial' });
    expect(await migrationStatus(url)).toEqual({ applied: NAMES.slice(0, 1), pending: NAMES.slice(1), unknown: [] });
    await migrateDown(url);
    await use(async ({ pool }) => {
      const { rows } = await pool.query(`select tablename from pg_tables where schemaname = 'public' order by 1`);
      expect(rows).toEqual([{ tablename: 'medic_migrations' }]);
    });
  });

  test('are told as ahead where a newer Medic has been here, and are not taken back by an older one', async () => {
    await migrateUp(url);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`insert into medic_migrations (name) values ('9999-from-the-future')`);
    await client.end();
    await expect(assertSchemaCurrent(url)).rejects.toMatchObject({ code: 'schema_ahead' });
    await expect(migrateDown(url)).rejects.toMatchObject({ code: 'schema_ahead' });
  });

  test('refuse a name they do not know, with the nearest', async () => {
    await expect(migrateUp(url, { to: '0001-initail' })).rejects.toMatchObject({ code: 'unknown_migration' });
    await expect(migrateUp(url, { to: '0001-initail' })).rejects.toThrow('0001-initial');
  });
});
