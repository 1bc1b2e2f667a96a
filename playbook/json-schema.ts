import { DURATION_PATTERN } from '../domain/duration.ts';
import { MAX_ATTEMPTS, MIN_ATTEMPTS } from './limits.ts';
import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_PARAMS, MAX_TITLE_LENGTH, MAX_VALUE_LENGTH } from './limits.ts';
import { PARAM_NAME, PLAYBOOK_NAME, RESERVED_PARAM_NAMES } from './limits.ts';
import { REQUIRED_KEYS } from './parse.ts';
import { BUILT_IN_STEPS, PARAM_TYPES, RISKS } from './playbook.ts';
import type { ParamSpec } from './playbook.ts';
import { SLOT } from './slots.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export const SCHEMA_DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Text that may be an argument: not empty, no `-` in front, no control character. The parser refuses a few more. */
const ARGUMENT_TEXT = { type: 'string', pattern: '^(?!-)[^\\u0000-\\u001f\\u007f]+$' };
const PATH_PATTERN = '^(?:/(?!\\.{1,2}(?:/|$))[^/]+)+$';
const INTEGER = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/**
 * What an editor can know of a playbook, as JSON Schema 2020-12: keys, types, words and forms. Whatever the parser
 * accepts is valid; what needs a look at two places at once (a slot without a parameter) only the parser finds.
 */
export function createPlaybookSchema(): JsonSchema {
  return {
    $schema: SCHEMA_DIALECT,
    title: 'Medic playbook',
    description: 'A recipe that an agent runs: typed parameters, argv steps without a shell, verification, rollback.',
    ...closedObject(createProperties(), REQUIRED_KEYS),
    $defs: {
      duration: { type: 'string', minLength: 2, pattern: DURATION_PATTERN, description: 'Such as 30s, 10m or 1h30m.' },
      ...createParamDefinitions(),
      ...createStepDefinitions(),
    },
  };
}

export function closedObject(properties: Record<string, JsonSchema>, required: readonly string[]): JsonSchema {
  return { type: 'object', additionalProperties: false, required: [...required], properties };
}

function createProperties(): Record<string, JsonSchema> {
  const kebabCase = { type: 'string', pattern: PLAYBOOK_NAME.source, maxLength: MAX_NAME_LENGTH };
  return {
    name: { ...kebabCase, description: 'The same as the name of the file, without .yaml.' },
    title: { type: 'string', pattern: '\\S', maxLength: MAX_TITLE_LENGTH },
    description: { type: 'string', pattern: '\\S', maxLength: MAX_DESCRIPTION_LENGTH },
    risk: { enum: [...RISKS], description: 'The rules of medic.yaml decide by it who must approve.' },
    params: {
      type: 'object',
      maxProperties: MAX_PARAMS,
      propertyNames: {
        pattern: PARAM_NAME.source,
        maxLength: MAX_NAME_LENGTH,
        not: { enum: [...RESERVED_PARAM_NAMES] },
      },
      additionalProperties: { oneOf: PARAM_TYPES.map((type) => reference(`${type}Param`)) },
    },
    timeout: { ...reference('duration'), description: 'For the whole action.' },
    max_timeout: { ...reference('duration'), description: 'How far a request may raise the timeout.' },
    idempotent: { type: 'boolean', description: 'Whether a second run does no harm.' },
    retry: {
      ...closedObject(
        {
          attempts: { type: 'integer', minimum: MIN_ATTEMPTS, maximum: MAX_ATTEMPTS },
          backoff: { ...reference('duration'), description: 'Before the second attempt; twice as long each time.' },
          max_backoff: { ...reference('duration'), description: 'The longest wait.' },
        },
        ['attempts'],
      ),
      description: 'Tried again where nothing was started, and where idempotent is true, also where something was.',
    },
    steps: { type: 'array', minItems: 1, items: reference('step') },
    verify: { type: 'array', items: reference('verifyStep') },
    rollback: { type: 'array', items: reference('step') },
  };
}

function createParamDefinitions(): Record<string, JsonSchema> {
  const text = { ...ARGUMENT_TEXT, maxLength: MAX_VALUE_LENGTH };
  const list = (items: JsonSchema): JsonSchema => ({ type: 'array', minItems: 1, uniqueItems: true, items });
  const own: Record<ParamSpec['type'], { properties: Record<string, JsonSchema>; required?: string[] }> = {
    string: {
      properties: {
        default: text,
        pattern: { type: 'string', format: 'regex', description: 'Matches the whole value.' },
        max_length: { type: 'integer', minimum: 1, maximum: MAX_VALUE_LENGTH },
      },
    },
    integer: { properties: { default: INTEGER, min: INTEGER, max: INTEGER } },
    boolean: { properties: { default: { type: 'boolean' } } },
    enum: { properties: { default: text, values: list(ARGUMENT_TEXT) }, required: ['values'] },
    path: {
      properties: { default: text, within: list({ ...ARGUMENT_TEXT, pattern: PATH_PATTERN }) },
      required: ['within'],
    },
  };
  const pairs = PARAM_TYPES.map((type) => {
    const common = { type: { const: type }, description: { type: 'string', maxLength: MAX_DESCRIPTION_LENGTH } };
    const properties = { ...common, required: { type: 'boolean' }, ...own[type].properties };
    const shape = closedObject(properties, ['type', ...(own[type].required ?? [])]);
    return [`${type}Param`, { ...shape, ...reference('requiredOrDefault') }] as const;
  });
  const isRequired = {
    required: ['required'],
    properties: { required: { const: true } },
    not: { required: ['default'] },
  };
  const hasDefault = { required: ['default'], properties: { required: { const: false } } };
  return { ...Object.fromEntries(pairs), requiredOrDefault: { oneOf: [isRequired, hasDefault] } };
}

function createStepDefinitions(): Record<string, JsonSchema> {
  const wait = closedObject({ for: reference('duration'), every: reference('duration') }, ['for', 'every']);
  return {
    step: { oneOf: createStepForms({}) },
    verifyStep: { oneOf: createStepForms({ wait: { ...wait, description: 'Try again until it holds.' } }) },
    argv: {
      type: 'array',
      minItems: 1,
      prefixItems: [{ type: 'string', pattern: PATH_PATTERN, not: { pattern: '\\$\\{' } }],
      items: { type: 'string', anyOf: [{ not: { pattern: '\\$\\{' } }, { pattern: SLOT.source }] },
      description: 'The absolute path of the program, then each argument. There is no shell.',
    },
  };
}

function createStepForms(extra: Record<string, JsonSchema>): JsonSchema[] {
  const builtIns = Object.entries(BUILT_IN_STEPS).map(([name, keys]) => {
    const slot = { type: 'string', pattern: '^\\$\\{[a-z0-9_-]+\\}$', description: 'The slot of a path parameter.' };
    const given = closedObject(Object.fromEntries(keys.map((key) => [key, slot])), keys);
    return closedObject({ uses: { const: name }, with: given, ...extra }, ['uses', 'with']);
  });
  return [closedObject({ run: reference('argv'), ...extra }, ['run']), ...builtIns];
}

function reference(definition: string): JsonSchema {
  return { $ref: `#/$defs/${definition}` };
}
