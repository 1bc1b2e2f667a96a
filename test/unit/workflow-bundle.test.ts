import { beforeAll, expect, test } from '@jest/globals';
import { bundleWorkflows } from '../../worker/worker.ts';

const MAX_BYTES = 2 * 1024 * 1024; // Temporal's own part is 1.6 MB; beyond this something came along by accident

/** All that may be inside: ours that is deterministic, Temporal's, and what Temporal brings. */
const ALLOWED = [
  /^\.\/workflows\/[a-z./-]+\.(ts|cjs)$/,
  /^\.\/domain\/(?!.*\.schema\.ts$)[a-z-]+\.ts$/,
  /^\.\/node_modules\/(@temporalio\/(workflow|common)|nexus-rpc|ms|long|@protobufjs\/[a-z]+)\//,
  /__temporal_custom_(payload|failure)_converter/, // there is none: Temporal leaves the place empty
];

let code = '';
let modules: string[] = [];

beforeAll(async () => {
  const bundle = await bundleWorkflows();
  code = bundle.code;
  modules = [...code.matchAll(/^ {2}!\*{3} (.+) \*{3}!$/gm)].map(([, name = '']) => name);
});

test('the bundle holds the workflow of an action and Temporal’s part', () => {
  expect(modules).toEqual(expect.arrayContaining(['./workflows/action.workflow.ts', './domain/lifecycle.ts']));
  expect(modules.length).toBeGreaterThan(50); // otherwise the list is read wrongly, and the next test proves nothing
});

test('the bundle holds no module that is not deterministic: no database, services, schemas or Node built-ins', () => {
  expect(modules.filter((name) => !ALLOWED.some((allowed) => allowed.test(name)))).toEqual([]);
  expect(code).not.toMatch(/require\("(node:)?[a-z_/]+"\)/);
});

test.each([
  './db/orm.ts',
  './services/context.ts',
  './domain/server.schema.ts',
  './node_modules/zod/index.js',
  './node_modules/pg/lib/index.js',
  'node:fs',
])('would be refused in it: %s', (name) => {
  expect(ALLOWED.some((allowed) => allowed.test(name))).toBe(false);
});

test('the bundle stays below 2 MiB', () => {
  expect(Buffer.byteLength(code)).toBeLessThan(MAX_BYTES);
});
