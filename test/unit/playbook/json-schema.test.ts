import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createAllowSchema } from '../../../playbook/allow-schema.ts';
import { ALLOW_KEYS, parseAllowFile } from '../../../playbook/allow.ts';
import { createPlaybookSchema } from '../../../playbook/json-schema.ts';
import { COMMON_PARAM_KEYS, PARAM_KEYS } from '../../../playbook/parse-params.ts';
import { STEP_KEYS } from '../../../playbook/parse-steps.ts';
import { OPTIONAL_KEYS, parsePlaybook, REQUIRED_KEYS } from '../../../playbook/parse.ts';
import { isValid } from './json-schema-evaluator.ts';
import { SHIPPED_FILES } from './shipped-playbooks.ts';

interface ObjectSchema {
  properties: Record<string, unknown>;
  required: string[];
}
const playbookSchema = createPlaybookSchema();
const allowSchema = createAllowSchema();
const definitions = playbookSchema['$defs'] as Record<string, ObjectSchema & { oneOf: ObjectSchema[] }>;

const readSchemaFile = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../playbooks/${name}`, import.meta.url), 'utf8'));

describe('the schemas for editors', () => {
  // Where one of these fails, `node playbooks/write-schemas.mjs` writes the files anew.
  test('stand in playbooks/ as they are generated', () => {
    expect(readSchemaFile('playbook.schema.json')).toEqual(playbookSchema);
    expect(readSchemaFile('allow.schema.json')).toEqual(allowSchema);
  });

  test('know the keys that the parser knows, and demand those that it demands', () => {
    const { properties, required } = playbookSchema as unknown as ObjectSchema;
    expect(Object.keys(properties).toSorted()).toEqual([...REQUIRED_KEYS, ...OPTIONAL_KEYS].toSorted());
    expect(required).toEqual(REQUIRED_KEYS);
    const allow = allowSchema as unknown as ObjectSchema;
    expect(Object.keys(allow.properties)).toEqual([...ALLOW_KEYS.required, ...ALLOW_KEYS.optional]);
    expect(allow.required).toEqual(ALLOW_KEYS.required);
    const steps = definitions['verifyStep']?.oneOf.flatMap((form) => Object.keys(form.properties));
    expect(new Set(steps)).toEqual(new Set(STEP_KEYS));
  });

  test.each(Object.entries(PARAM_KEYS))('know the keys of a parameter of type %s', (type, keys) => {
    const known = Object.keys(definitions[`${type}Param`]?.properties ?? {});
    expect(known.toSorted()).toEqual([...COMMON_PARAM_KEYS, ...keys].toSorted());
  });
});

const PLAYBOOK = ['name: p', 'title: P', 'risk: low', 'timeout: 5s', 'steps: [{ run: [/bin/true] }]'];
const withLine = (line: string): string => {
  const key = line.slice(0, line.indexOf(':') + 1);
  return [...PLAYBOOK.filter((other) => !other.startsWith(key)), line].join('\n');
};
const withParam = (param: string): string => {
  return withLine(`steps: [{ run: [/bin/echo, "\${x}"] }]`) + `\nparams: { x: ${param} }`;
};

const GOOD_PLAYBOOKS = [
  ...SHIPPED_FILES.map(({ text }) => text),
  PLAYBOOK.join('\n'),
  withLine('timeout: 1h30m'),
  withLine('verify: [{ run: [/bin/true], wait: { for: 1s, every: 500ms } }]'),
  withParam('{ type: string, required: true, pattern: "[a-z]+", max_length: 9, description: X }'),
  withParam('{ type: string, default: a b }'),
  withParam('{ type: integer, required: false, default: 0 }'),
  withParam('{ type: boolean, default: true }'),
  withParam('{ type: enum, values: [a, b], default: a }'),
  withParam('{ type: path, within: [/a/b, /c], default: /a/b/x }'),
  withLine('steps: [{ run: [/bin/echo, "--x=${a-b}", "${c_d}"] }]') +
    '\nparams: { a-b: { type: boolean, default: true }, c_d: { type: boolean, required: true } }',
];

const BAD_PLAYBOOKS = [
  '[]',
  'titel: x',
  withLine('titel: x'),
  PLAYBOOK.slice(1).join('\n'),
  withLine('name: Not_Kebab'),
  withLine('title: 5'),
  withLine('title: " "'),
  withLine('risk: lo'),
  withLine('timeout: soon'),
  withLine('timeout: 5'),
  withLine('max_timeout: 1m30'),
  withLine('idempotent: 1'),
  withLine('params: []'),
  withLine('steps: []'),
  withLine('steps: {}'),
  withLine('steps: [{}]'),
  withLine('steps: [{ run: /bin/true }]'),
  withLine('steps: [{ run: [] }]'),
  withLine('steps: [{ run: [true-bin] }]'),
  withLine('steps: [{ run: [/bin/../true] }]'),
  withLine('steps: [{ run: ["/bin/${x}"] }]'),
  withLine('steps: [{ run: [/bin/true, 5] }]'),
  withLine('steps: [{ run: [/bin/true], wait: { for: 1s, every: 1s } }]'),
  withLine('steps: [{ run: [/bin/true], with: {} }]'),
  withLine('steps: [{ run: [/bin/true], uses: clear-logs }]'),
  withLine('steps: [{ uses: clear-log, with: { path: "${x}" } }]'),
  withLine('steps: [{ uses: clear-logs }]'),
  withLine('steps: [{ uses: clear-logs, with: { path: /var/log } }]'),
  withLine('verify: [{ run: [/bin/true], wait: { for: 1s } }]'),
  withLine('rollback: [{ run: [/bin/true], wait: { for: 1s, every: 1s } }]'),
  withLine('steps: [{ run: [/bin/echo, "a${x}"] }]') + '\nparams: { x: { type: boolean, default: true } }',
  withLine('params: { reason: { type: boolean, default: true } }'),
  withLine('params: { X: { type: boolean, default: true } }'),
  withParam('{ type: strin, required: true }'),
  withParam('{ required: true }'),
  withParam('{ type: string }'),
  withParam('{ type: string, required: false }'),
  withParam('{ type: string, required: true, default: a }'),
  withParam('{ type: string, required: true, min: 1 }'),
  withParam('{ type: string, required: true, pattern: "[" }'),
  withParam('{ type: string, required: true, max_length: 0 }'),
  withParam('{ type: string, default: -a }'),
  withParam('{ type: integer, default: "5" }'),
  withParam('{ type: integer, required: true, min: -1 }'),
  withParam('{ type: enum, required: true }'),
  withParam('{ type: enum, required: true, values: [] }'),
  withParam('{ type: enum, required: true, values: [a, a] }'),
  withParam('{ type: enum, required: true, values: [--a] }'),
  withParam('{ type: path, required: true }'),
  withParam('{ type: path, required: true, within: [/] }'),
  withParam('{ type: path, required: true, within: [var/log] }'),
  withParam('{ type: path, required: true, within: [/var/../etc] }'),
];

describe('the schema of a playbook', () => {
  test.each(GOOD_PLAYBOOKS)('accepts what the parser accepts (%#)', (text) => {
    expect(parsePlaybook({ file: 'p.yaml', text }).problems).toEqual([]);
    expect(isValid(playbookSchema, parse(text))).toBe(true);
  });

  test.each(BAD_PLAYBOOKS)('refuses what the parser refuses (%#)', (text) => {
    expect(parsePlaybook({ file: 'p.yaml', text }).problems).not.toEqual([]);
    expect([text, isValid(playbookSchema, parse(text))]).toEqual([text, false]);
  });
});

describe('the schema of allow.yaml', () => {
  test.each([
    'version: 1\nallow: {}',
    'version: 1\nallow: { restart-service: { service: [nginx, "app-*", 5, true] }, check_service: {} }',
    'version: 1\nallow: { a: "*", b: { c_d: "*" }, c: { d: [] } }\nmask: ["x-[a-z]+"]',
  ])('accepts %j', (text) => {
    expect(parseAllowFile({ file: 'allow.yaml', text }).problems).toEqual([]);
    expect(isValid(allowSchema, parse(text))).toBe(true);
  });

  test.each([
    'allow: {}',
    'version: 2\nallow: {}',
    'version: 1',
    'version: 1\nallow:',
    'version: 1\nallow: { A: "*" }',
    'version: 1\nallow: { a: [x] }',
    'version: 1\nallow: { a: { b: x } }',
    'version: 1\nallow: { a: { b: [""] } }',
    'version: 1\nallow: { a: { b: [[x]] } }',
    'version: 1\nallow: { a: { B: "*" } }',
    'version: 1\nallow: {}\nmasks: []',
    'version: 1\nallow: {}\nmask: ["["]',
    'version: 1\nallow: {}\nmask: [""]',
  ])('refuses %j', (text) => {
    expect(parseAllowFile({ file: 'allow.yaml', text }).problems).not.toEqual([]);
    expect(isValid(allowSchema, parse(text))).toBe(false);
  });
});
