import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { IMPORT_RULES, restrictionsOf } from './import-rules.js';

const SCHEMA_FILES = 'domain/**/*.schema.ts';
const SHORT_FUNCTIONS = ['activities', 'api', 'bot', 'db', 'domain', 'playbook', 'protocol', 'services', 'worker'];

export default tseslint.config(
  { ignores: ['node_modules', 'dist', '.medic', '**/*.tmp', 'test/replay/histories'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The classic bugs of Bolt and Temporal code: a promise nobody waits for.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-nested-ternary': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-control-regex': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', 'bin/*'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  ...IMPORT_RULES.map((rule) => ({
    files: [`${rule.folder}/**/*.ts`],
    ignores: [SCHEMA_FILES],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', restrictionsOf(rule)] },
  })),
  {
    files: [SCHEMA_FILES],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        restrictionsOf({ folder: 'domain', folders: [], packages: ['zod'] }),
      ],
    },
  },
  {
    files: ['**/*.ts'],
    // Each process parses its environment once, in its configuration file; see docs/architecture.md.
    ignores: [
      'cli/main.ts',
      'agent/main.ts',
      'sandbox/{start,demo,test-runner}.ts',
      'sandbox/{cache-dir,temporal,temporal-cli}.ts', // what they hand to other programs is the person's own
      'test/**',
      'bench/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only entry points read process.env.' },
      ],
    },
  },
  { files: ['**/*.{ts,tsx,js,mjs}'], ignores: ['test/**'], rules: { 'max-lines': ['error', 300] } },
  {
    files: [`{${SHORT_FUNCTIONS.join(',')}}/**/*.ts`],
    // Each is a closure over one state, and would only be longer in pieces.
    ignores: ['bot/transport/{silence,socket-connection}.ts', 'api/plugins/metrics.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }] },
  },
  { files: ['*.config.*', '**/*.config.ts'], rules: { 'no-restricted-exports': 'off' } },
);
