import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import ts from 'typescript';
import { COMPOSERS, FOLDERS, IMPORT_RULES } from '../../import-rules.js';
import type { ImportRule } from '../../import-rules.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RULE = '@typescript-eslint/no-restricted-imports';

/** For each folder what it lives on, and what would break the house; written by hand, not derived from the table. */
const SAMPLES: Record<string, { keeps: readonly string[]; breaks: readonly string[] }> = {
  domain: {
    keeps: [`import { a } from './errors.ts';`],
    breaks: [
      `import { a } from 'zod';`,
      `import { a } from 'node:fs';`,
      `import { a } from '../services/context.ts';`,
      `import type { A } from '../db/orm.ts';`,
    ],
  },
  playbook: {
    keeps: [`import { a } from 'yaml';`, `import { a } from '../domain/errors.ts';`],
    breaks: [`import { a } from 'node:fs';`, `import { a } from '../protocol/keys.ts';`, `import { a } from 'pg';`],
  },
  protocol: {
    keeps: [`import { a } from 'jose';`, `import { a } from '../domain/errors.ts';`],
    breaks: [`import { a } from '../playbook/parse.ts';`, `import { a } from '../db/orm.ts';`],
  },
  db: {
    keeps: [`import { a } from 'kysely';`, `import { a } from '../domain/audit.ts';`],
    breaks: [
      `import { a } from '../services/context.ts';`,
      `import { a } from '../workflows/index.ts';`,
      `import { a } from 'fastify';`,
    ],
  },
  workflows: {
    keeps: [
      `import { a } from '@temporalio/workflow';`,
      `import { a } from '../domain/lifecycle.ts';`,
      `import type { A } from '../db/tables.ts';`,
    ],
    breaks: [
      `import { a } from '../db/orm.ts';`,
      `import { a } from '../services/context.ts';`,
      `import { a } from 'zod';`,
      `import { a } from 'node:crypto';`,
      `import { a } from '../domain/server.schema.ts';`,
    ],
  },
  activities: {
    keeps: [`import { a } from '../db/orm.ts';`, `import type { A } from '../workflows/contracts/action.contract.ts';`],
    breaks: [
      `import { a } from '../workflows/contracts/action.contract.ts';`,
      `import { a } from '../services/context.ts';`,
      `import { a } from '../bot/index.ts';`,
      `import { a } from '@slack/web-api';`,
    ],
  },
  services: {
    keeps: [`import { a } from '../db/orm.ts';`, `import { a } from '../workflows/contracts/action.contract.ts';`],
    breaks: [
      `import { a } from '../workflows/action.workflow.ts';`,
      `import { a } from '../activities/index.ts';`,
      `import { a } from '../api/index.ts';`,
      `import { a } from '@slack/bolt';`,
      `import { a } from 'fastify';`,
    ],
  },
  bot: {
    keeps: [`import { a } from '@slack/bolt';`, `import { a } from '../services/context.ts';`],
    breaks: [
      `import { a } from '../db/orm.ts';`,
      `import { a } from '../activities/index.ts';`,
      `import { a } from '../api/index.ts';`,
      `import { a } from '@temporalio/client';`,
    ],
  },
  api: {
    keeps: [`import { a } from 'fastify';`, `import { a } from '../services/context.ts';`],
    breaks: [
      `import { a } from '../db/orm.ts';`,
      `import { a } from '../bot/index.ts';`,
      `import { a } from '@temporalio/client';`,
    ],
  },
  worker: {
    keeps: [`import { a } from '@temporalio/worker';`, `import { a } from '../activities/index.ts';`],
    breaks: [
      `import { a } from '../bot/index.ts';`,
      `import { a } from '../api/index.ts';`,
      `import { a } from '../workflows/index.ts';`,
    ],
  },
  agent: {
    keeps: [`import { a } from 'node:fs';`, `import { a } from '../protocol/keys.ts';`],
    breaks: [
      `import { a } from '../db/orm.ts';`,
      `import { a } from '../services/context.ts';`,
      `import { a } from '../sandbox/ports.ts';`,
      `import { a } from '@temporalio/client';`,
      `import { a } from 'undici';`,
      `import { a } from 'zod';`,
    ],
  },
  cli: { keeps: [`import { a } from '../db/orm.ts';`, `import { a } from 'commander';`], breaks: [] },
  sandbox: { keeps: [`import { a } from '../cli/main.ts';`, `import { a } from 'esbuild';`], breaks: [] },
};

describe('the lint rule', () => {
  const eslint = new ESLint({
    cwd: ROOT,
    ruleFilter: ({ ruleId }) => ruleId === RULE,
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } }, // this rule needs no types
  });
  const lint = async (folder: string, code: string): Promise<string[]> => {
    const [result] = await eslint.lintText(`${code}\n`, { filePath: join(ROOT, folder, 'sample.ts') });
    return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? 'no rule'}: ${message}`);
  };

  test('has a sample for every folder of the table', () => {
    expect(Object.keys(SAMPLES).sort()).toEqual(IMPORT_RULES.map(({ folder }) => folder).sort());
  });

  test.each(Object.entries(SAMPLES))('lets %s/ import what it lives on', async (folder, { keeps }) => {
    for (const code of keeps) expect([code, ...(await lint(folder, code))]).toEqual([code]);
  });

  test.each(Object.entries(SAMPLES).filter(([, { breaks }]) => breaks.length > 0))(
    'refuses in %s/ what would break the house',
    async (folder, { breaks }) => {
      for (const code of breaks)
        expect([code, ...(await lint(folder, code))]).toEqual([code, expect.stringContaining(RULE)]);
    },
  );
});

describe('the environment', () => {
  const eslint = new ESLint({
    cwd: ROOT,
    ruleFilter: ({ ruleId }) => ruleId === 'no-restricted-properties',
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  });
  const lint = async (file: string, code: string): Promise<number> => {
    const [result] = await eslint.lintText(`${code}\n`, { filePath: join(ROOT, file) });
    return result?.messages.length ?? 0;
  };

  test.each(['cli/api-client.ts', 'cli/commands/sample.ts', 'sandbox/sample.ts', 'services/sample.ts', 'agent/cli.ts'])(
    'is not read by %s',
    async (file) => {
      expect(await lint(file, `export const url = process.env['MEDIC_URL'];`)).toBe(1);
      expect(await lint(file, 'export const { env } = process;')).toBe(1);
    },
  );

  test.each(['cli/main.ts', 'agent/main.ts', 'sandbox/start.ts'])('is read by the entry point %s', async (file) => {
    expect(await lint(file, `export const url = process.env['MEDIC_URL'];`)).toBe(0);
  });
});

describe('every file', () => {
  const files = listSources();

  test('is found by this test', () => {
    for (const folder of ['domain', 'services', 'workflows', 'agent', 'sandbox', 'test']) {
      expect(files.some((file) => file.startsWith(`${folder}/`))).toBe(true);
    }
  });

  test('imports only what import-rules.js lets its folder import', () => {
    expect(files.flatMap((file) => findBreaches(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  test.each([
    ['a static import', 'agent/x.ts', `import { a } from '../db/orm.ts';`],
    ['an import for its effect', 'domain/x.ts', `import '../services/context.ts';`],
    ['an export from elsewhere', 'bot/x.ts', `export { a } from '../db/orm.ts';`],
    ['an import at run time', 'services/x.ts', `const a = await import('../activities/index.ts');`],
    ['a require', 'api/x.ts', `const a = require('pg');`],
    ['a type where types are not free', 'domain/x.ts', `import type { A } from '../db/orm.ts';`],
    ['a Node built-in without its prefix', 'workflows/x.ts', `import { readFileSync } from 'fs';`],
    ['a composer imported from beside it', 'playbooks/x.mjs', `import { a } from '../sandbox/ports.ts';`],
    ['more of a folder than its contracts', 'services/x.ts', `import { a } from '../workflows/action.workflow.ts';`],
  ])('would be caught with %s', (_what, file, text) => {
    expect(findBreaches(file, text)).toHaveLength(1);
  });

  test.each([
    ['workflows/x.ts', `import type { A } from '../db/tables.ts';`],
    ['workflows/x.ts', `import { type A } from '../db/tables.ts';`],
    ['test/unit/x.test.ts', `import { a } from '../../sandbox/ports.ts';`],
    ['sandbox/x.ts', `import { a } from '../cli/main.ts';`],
    ['db/migrations/x.ts', `import { Migration } from '@mikro-orm/migrations';`],
  ])('may do in %s: %s', (file, text) => {
    expect(findBreaches(file, text)).toEqual([]);
  });
});

function listSources(): string[] {
  return ['.', ...FOLDERS, 'playbooks', 'ops']
    .flatMap((folder) => listFolder(folder, { isDeep: folder !== '.' }))
    .filter((file) => /\.(ts|tsx|js|mjs)$/.test(file) && !file.endsWith('.d.ts') && !file.endsWith('.d.mts'));
}

function listFolder(folder: string, { isDeep }: { isDeep: boolean }): string[] {
  try {
    return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: isDeep })
      .filter((entry) => entry.isFile())
      .map((entry) => normalize(join(entry.parentPath, entry.name)).slice(ROOT.length))
      .filter((file) => !file.includes('node_modules/'));
  } catch {
    return []; // a folder that the table names before its first file
  }
}

interface Import {
  target: string;
  isType: boolean;
}

function findBreaches(file: string, text: string): string[] {
  const from = file.split('/')[0] ?? '';
  const rule = IMPORT_RULES.find(({ folder }) => folder === from && file.includes('/'));
  return listImports(file, text)
    .filter((found) => isComposerTaken(file, found) || (rule !== undefined && !isAllowed(rule, file, found)))
    .map(({ target }) => `${file} imports ${target}`);
}

/** bin/, cli/ and sandbox/ compose the others: only they themselves, tests and benchmarks import them. */
function isComposerTaken(file: string, { target }: Import): boolean {
  const from = file.split('/')[0] ?? '';
  const to = target.startsWith('.') ? (resolveTarget(file, target).split('/')[0] ?? '') : '';
  return COMPOSERS.includes(to) && ![...COMPOSERS, 'test', 'bench'].includes(from);
}

function isAllowed(rule: ImportRule, file: string, { target, isType }: Import): boolean {
  if (isType && rule.types === true) return true;
  if (!target.startsWith('.')) return rule.packages === '*' || rule.packages.some((name) => matches(name, target));
  const path = resolveTarget(file, target);
  if (rule.forbidFiles?.some((glob) => path.endsWith(glob.replace('*', '')))) return false;
  return rule.folders === '*' || [rule.folder, ...rule.folders].some((folder) => path.startsWith(`${folder}/`));
}

function resolveTarget(file: string, target: string): string {
  return normalize(join(dirname(file), target));
}

/** A built-in without `node:` is told like one with it. */
function matches(allowed: string, target: string): boolean {
  const name = builtinModules.includes(target) ? `node:${target}` : target;
  return allowed.endsWith('*') ? name.startsWith(allowed.slice(0, -1)) : name === allowed;
}

function listImports(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const told = readImport(node);
    if (told !== undefined) found.push(told);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function readImport(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) return toImport(node.moduleSpecifier, isTypeOnly(node.importClause));
  if (ts.isExportDeclaration(node)) return toImport(node.moduleSpecifier, node.isTypeOnly);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const isRequire = ts.isIdentifier(expression) && expression.text === 'require';
  const isDynamic = expression.kind === ts.SyntaxKind.ImportKeyword;
  return isRequire || isDynamic ? toImport(node.arguments[0], false) : undefined;
}

function toImport(specifier: ts.Node | undefined, isType: boolean): Import | undefined {
  return specifier !== undefined && ts.isStringLiteralLike(specifier) ? { target: specifier.text, isType } : undefined;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  const isNamed = namedBindings !== undefined && ts.isNamedImports(namedBindings) && namedBindings.elements.length > 0;
  return isNamed && clause.name === undefined && namedBindings.elements.every((element) => element.isTypeOnly);
}
