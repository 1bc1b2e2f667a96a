import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startPostgres } from '../../sandbox/postgres.ts';
import { choosePostgresUser } from '../../sandbox/postgres-user.ts';
import { runStarter, waitUntilNoneUses } from '../support/stack-process.ts';

interface Told {
  url: string;
  rootFolder: string | null;
}

let folder: string;
const used: string[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'medic-stack-')));
  used.push(folder);
});

afterEach(() => {
  const where = clusterParent();
  rmSync(folder, { recursive: true, force: true });
  if (where !== folder) rmSync(dirname(where), { recursive: true, force: true });
});

afterAll(async () => {
  for (const name of used) expect(await waitUntilNoneUses(name, 0)).toEqual([]);
});

/** Where the cluster is: in the folder, or as root where the folder says. */
function clusterParent(): string {
  const note = join(folder, 'whereabouts.json');
  if (!existsSync(note)) return folder;
  return join((JSON.parse(readFileSync(note, 'utf8')) as { folder: string }).folder, 'clusters');
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  test.each([0, 60, 150, 300, 450, 700])(
    'starts after it was killed %i ms into its first start',
    async (afterMs) => {
      const killed = runStarter<Told>('postgres', folder);
      await killed.began;
      await delay(afterMs); // the very point: any moment
      await killed.end('SIGKILL');
      const next = runStarter<Told>('postgres', folder);
      expect(await query((await next.ready).url, 'SELECT current_database() AS name')).toEqual([{ name: 'medic' }]);
      expect((await next.end('SIGTERM')).exitCode).toBe(0);
      expect(await waitUntilNoneUses(clusterParent())).toEqual([]);
    },
    60_000,
  );

  test('finds what was committed before it was killed, and ends by itself', async () => {
    const killed = runStarter<Told>('postgres', folder);
    const { url } = await killed.ready;
    await query(url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    await killed.end('SIGKILL');
    expect(await waitUntilNoneUses(clusterParent())).toEqual([]);
    const next = await startPostgres({ dataDir: folder });
    try {
      expect(await query(next.url, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 1000 }]);
    } finally {
      await next.stop();
    }
  });

  test('starts at once after a kill, while the killed one is still on its way out', async () => {
    for (let round = 0; round < 4; round++) {
      const killed = runStarter<Told>('postgres', folder);
      const { url } = await killed.ready;
      await query(url, `CREATE TABLE round_${round} ()`);
      await killed.end('SIGKILL');
    }
    const last = await startPostgres({ dataDir: folder });
    try {
      const rows = await query(last.url, "SELECT count(*)::int AS n FROM pg_tables WHERE tablename LIKE 'round_%'");
      expect(rows).toEqual([{ n: 4 }]);
    } finally {
      await last.stop();
    }
  }, 60_000);

  test('leaves no process and no data when it was ephemeral', async () => {
    const postgres = await startPostgres({ dataDir: folder, isEphemeral: true });
    const where = clusterParent();
    await postgres.stop();
    expect([existsSync(folder), existsSync(where)]).toEqual([false, false]);
    expect(await waitUntilNoneUses(where, 1_000)).toEqual([]);
  });

  test('refuses a second run on the same folder, naming the first', async () => {
    const first = await startPostgres({ dataDir: folder, isEphemeral: true });
    try {
      await expect(startPostgres({ dataDir: folder })).rejects.toMatchObject({
        code: 'data_dir_in_use',
        message: expect.stringContaining(`process ${process.pid}`),
      });
      expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await first.stop();
    }
  });

  test('lets nobody in without its password, which only its owner can read', async () => {
    const postgres = await startPostgres({ dataDir: folder, isEphemeral: true });
    try {
      const url = new URL(postgres.url);
      expect(statSync(join(folder, 'password')).mode & 0o777).toBe(0o600);
      url.password = 'guessed';
      await expect(query(url.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
      const settings = "SELECT setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories')";
      expect(await query(postgres.url, `${settings} ORDER BY name`)).toEqual([
        { setting: '127.0.0.1' },
        { setting: '' },
      ]);
    } finally {
      await postgres.stop();
    }
  });
});

describe('whom PostgreSQL runs as', () => {
  test('is oneself, unless one is root', () => {
    expect(choosePostgresUser(1000, '')).toBeUndefined();
  });

  test('is postgres or nobody for root', () => {
    const nobody = 'nobody:x:65534:65534:nobody:/:/sbin/nologin\n';
    expect(choosePostgresUser(0, nobody)?.name).toBe('nobody');
    expect(choosePostgresUser(0, `${nobody}postgres:x:101:104::/:/bin/sh\n`)).toEqual({
      name: 'postgres',
      uid: 101,
      gid: 104,
    });
  });

  test('is told with the remedy where root has neither', () => {
    expect(() => choosePostgresUser(0, 'root:x:0:0::/root:/bin/sh\n')).toThrow(/Run this command as an ordinary user/);
  });
});
