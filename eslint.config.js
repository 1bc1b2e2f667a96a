import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { IMPORT_RULES, restrictionsOf } from './import-rules.js';

const SCHEMA_FILES = 'domain/**/*.schema.ts';

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
    ignores: ['cli/**', 'sandbox/**', 'test/**', 'bench/**', 'agent/main.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only entry points read process.env.' },
      ],
    },
  },
  { files: ['*.config.*', '**/*.config.ts'], rules: { 'no-restricted-exports': 'off' } },
);
