import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DURABLE_STEPS } from '../../domain/durable-step.ts';
import { findUnnamedWrites, listNamesInUse } from '../support/durable-writes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['activities', 'agent', 'api', 'bot', 'cli', 'db', 'services', 'worker'];

/** What lasts without a name, and why nothing is lost or doubled where it is cut in two. */
const NOT_NAMED: Readonly<Record<string, string>> = {
  'services/slack/outbox.ts#withMessageLock': 'a lock and nothing else: the transaction writes no row',
  'services/queue/read-queue.ts#readQueue': 'one moment for several queries: a transaction that can only read',
  'cli/workflow-bundle.ts#loadWorkflowBundle':
    'a cache under the digest of its source, built again where it is missing',
};

/** Calls of Slack that leave nothing there, or nothing that matters twice. */
const PASSING_CALLS = [
  'auth.test',
  'chat.getPermalink',
  'chat.postEphemeral',
  'conversations.history',
  'conversations.open',
  'conversations.replies',
  'files.getUploadURLExternal',
  'usergroups.users.list',
  'users.info',
  'views.open',
  'views.update',
];

const sources = new Map(FOLDERS.flatMap(listSources).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

describe('every write that lasts', () => {
  test('has a name, and so two crash points', () => {
    const unnamed = findUnnamedWrites(sources, { except: Object.keys(NOT_NAMED) });
    expect(unnamed).toEqual([]);
  });

  test('is still there where it is said to need none', () => {
    const found = findUnnamedWrites(sources).map((site) => site.split(': ')[0] ?? '');
    expect(Object.keys(NOT_NAMED).filter((site) => !found.includes(site))).toEqual([]);
  });

  test('of Slack is named by its method, or leaves nothing', () => {
    const named = [...(sources.get('bot/transport/web-client.ts') ?? '').matchAll(/'([\w.]+)': 'slack\./g)].map(
      ([, method = '']) => method,
    );
    expect(named.length).toBeGreaterThan(3);
    const called = [...sources].flatMap(([file, text]) => {
      return file.startsWith('bot/') ? [...text.matchAll(/client\.([a-z]+(?:\.[a-zA-Z]+)+)\(/g)] : [];
    });
    expect(called.length).toBeGreaterThan(10);
    expect(
      called.map(([, method = '']) => method).filter((one) => ![...named, ...PASSING_CALLS].includes(one)),
    ).toEqual([]);
  });

  test('is made: no name of the list is unused', () => {
    const inUse = listNamesInUse(sources);
    const isInUse = (step: string): boolean => inUse.some((name) => name === step || isHeadOf(name, step));
    expect(DURABLE_STEPS.filter((step) => !isInUse(step))).toEqual([]);
    expect(new Set(DURABLE_STEPS).size).toBe(DURABLE_STEPS.length);
  });
});

describe('a write without a name', () => {
  const DATABASE = `import type { Database, Tx } from '../orm.ts';\n`;
  const REPOSITORY = `${DATABASE}export async function save(database: Database) { await database.kysely.insertInto('x'); }`;
  const USE = `import { save } from '../db/repositories/x.ts';\n`;

  test.each([
    ['a query on the database', 'services/x.ts', `export const f = (ctx) => ctx.database.kysely.updateTable('x');`],
    ['a transaction of its own', 'services/x.ts', `export const f = (ctx) => ctx.database.kysely.transaction();`],
    ['raw SQL', 'services/x.ts', 'export const f = (ctx) => sql`update x set y = 1`.execute(ctx.database.kysely);'],
    ['an entity that is flushed', 'api/x.ts', `export const f = (ctx) => ctx.database.orm.em.fork().flush();`],
    ['a call of Temporal', 'services/x.ts', `export const f = (client) => client.workflow.start('x', {});`],
    ['a file put in the place of another', 'agent/x.ts', `export const f = () => rename('a', 'b');`],
    [
      'a record on the disk',
      'agent/x.ts',
      `export const f = async (file) => { await file.write(x); await file.sync(); };`,
    ],
    ['what is done as the file is loaded', 'cli/x.ts', `sql\`delete from x\`.execute(database.kysely);`],
    [
      'only the point before it',
      'agent/x.ts',
      `export const f = () => { passCrashPoint('a:before'); rename('a', 'b'); };`,
    ],
  ])('is found: %s', (_what, file, text) => {
    expect(findUnnamedWrites(new Map([[file, text]]))).toHaveLength(1);
  });

  test('is found in whoever calls a query of db/, through a private function too', () => {
    const text = `${USE}const g = (ctx) => save(ctx.database);\nexport const f = (ctx) => g(ctx);`;
    const found = findUnnamedWrites(
      new Map([
        ['db/repositories/x.ts', REPOSITORY],
        ['services/x.ts', text],
      ]),
    );
    expect(found).toEqual([expect.stringMatching(/^services\/x\.ts#f: /)]);
  });

  test.each([
    ['in durably', `${USE}export const f = (ctx) => durably('x', () => save(ctx.database));`],
    [
      'in durably, by a private function',
      `${USE}const g = (ctx) => save(ctx.database);\nexport const f = (ctx) => durably('x', () => g(ctx));`,
    ],
    ['in a transaction', `export const f = (ctx) => transact(ctx.database, 'x', (tx) => tx.kysely.insertInto('x'));`],
    ['on the transaction of its caller', `export const f = (tx: Tx) => tx.kysely.insertInto('x');`],
    [
      'between its own crash points',
      `export function f() { passCrashPoint('x:before'); rename('a', 'b'); passCrashPoint('x:after'); }`,
    ],
  ])('is not seen where it is named: %s', (_what, text) => {
    expect(
      findUnnamedWrites(
        new Map([
          ['db/repositories/x.ts', REPOSITORY],
          ['services/x.ts', text],
        ]),
      ),
    ).toEqual([]);
  });
});

/** A template such as `journal.${kind}` names all that begin so. */
function isHeadOf(name: string, step: string): boolean {
  return name.endsWith('.') && step.startsWith(name);
}

function listSources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('migrations'))
    .map((name) => `${folder}/${name}`);
}
