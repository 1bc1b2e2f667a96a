/**
 * Who may import whom: the one table that the lint rule and test/unit/import-rules.test.ts both read.
 * `folders` and `packages` are all that a folder's files may import at run time (itself included by default);
 * `'*'` allows any. `types: true` lets `import type` reach anything, because types leave no trace at run time.
 */
export const IMPORT_RULES = [
  { folder: 'domain', folders: [], packages: [] },
  { folder: 'playbook', folders: ['domain'], packages: ['yaml', 'canonicalize', 'zod', 'zod/mini', 'node:crypto'] },
  { folder: 'protocol', folders: ['domain'], packages: ['jose', 'canonicalize', 'zod', 'zod/mini', 'node:crypto'] },
  { folder: 'db', folders: ['domain'], packages: ['@mikro-orm/*', 'kysely', 'pg', 'canonicalize', 'zod', 'node:*'] },
  {
    folder: 'workflows',
    folders: ['domain'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
    types: true,
    forbidFiles: ['*.schema.ts'],
  },
  {
    folder: 'activities',
    folders: ['domain', 'db'],
    packages: ['@temporalio/activity', '@temporalio/common', 'kysely'],
    types: true,
  },
  {
    folder: 'services',
    folders: ['domain', 'playbook', 'protocol', 'db', 'workflows/contracts'],
    packages: [
      '@temporalio/client',
      '@temporalio/common',
      'zod',
      'jose',
      'kysely',
      'pino',
      'prom-client',
      'pg',
      'canonicalize',
      'otpauth',
      'node:*',
    ],
    types: true,
  },
  {
    folder: 'bot',
    folders: ['domain', 'playbook', 'services'],
    packages: ['@slack/*', 'zod', 'pino', 'prom-client', 'undici', 'node:*'],
    types: true,
  },
  {
    folder: 'api',
    folders: ['domain', 'playbook', 'protocol', 'services'],
    packages: ['fastify', 'fastify-type-provider-zod', '@fastify/*', 'zod', 'pino', 'prom-client', 'node:*'],
    types: true,
  },
  {
    folder: 'worker',
    folders: ['activities', 'db', 'domain'],
    packages: ['@temporalio/*', 'pino', 'prom-client', 'node:*'],
    types: true,
  },
  {
    folder: 'agent',
    folders: ['domain', 'playbook', 'protocol'],
    packages: ['zod/mini', 'yaml', 'jose', 'node:*'],
    types: true,
  },
  { folder: 'cli', folders: '*', packages: '*' },
  { folder: 'sandbox', folders: '*', packages: '*' },
];

/** Folders that compose the others: only `bin`, themselves and tests may import them. */
export const COMPOSERS = ['bin', 'cli', 'sandbox'];

export const FOLDERS = ['bin', 'cli', 'sandbox', 'test', 'bench', ...IMPORT_RULES.map((rule) => rule.folder)].filter(
  (folder, index, all) => all.indexOf(folder) === index,
);

/** The rule of one folder as options for @typescript-eslint/no-restricted-imports. */
export function restrictionsOf(rule) {
  const patterns = [];
  if (rule.folders !== '*') {
    const allowed = new Set([rule.folder, ...rule.folders.map((name) => name.split('/')[0])]);
    for (const folder of FOLDERS.filter((name) => !allowed.has(name))) {
      patterns.push(restriction(`^(\\.\\.?/)+${folder}/`, `${rule.folder}/ may not import ${folder}/.`, rule.types));
    }
    for (const nested of rule.folders.filter((name) => name.includes('/'))) {
      const [folder, inner] = nested.split('/');
      patterns.push(
        restriction(
          `^(\\.\\.?/)+${folder}/(?!${inner}/)`,
          `${rule.folder}/ may import only ${nested}/ of ${folder}/.`,
          rule.types,
        ),
      );
    }
  }
  if (rule.packages !== '*') {
    const names = rule.packages.map((name) => escape(name).replace('\\*', '.*')).join('|');
    const allowed = names === '' ? '' : `(?!(?:${names})$)`;
    patterns.push(
      restriction(`^${allowed}[^.]`, `${rule.folder}/ may not import this package: see import-rules.js.`, rule.types),
    );
  }
  for (const glob of rule.forbidFiles ?? []) {
    patterns.push(
      restriction(
        `${escape(glob).replace('\\*', '')}$`,
        `${rule.folder}/ may not import ${glob} at run time.`,
        rule.types,
      ),
    );
  }
  return { patterns };
}

function restriction(regex, message, types = false) {
  return { regex, message, allowTypeImports: types };
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
