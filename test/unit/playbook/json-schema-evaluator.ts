import { isDeepStrictEqual } from 'node:util';

type Schema = Record<string, unknown>;
type Check = (input: { rule: never; value: never; schema: Schema; root: Schema }) => boolean;

/** JSON Schema 2020-12 as far as Medic's own schemas use it; throws on any other keyword, so that none is passed over. */
export function isValid(schema: unknown, value: unknown, root: Schema = schema as Schema): boolean {
  return Object.entries(schema as Schema).every(([keyword, rule]) => {
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`This test does not know the keyword ${keyword}`);
    return check({ rule: rule as never, value: value as never, schema: schema as Schema, root });
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const countCharacters = (text: string): number => [...text].length;
const isOfType = (value: unknown, type: string): boolean => {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
};
const onText = (check: (value: string, rule: never) => boolean): Check => {
  return ({ value, rule }) => typeof value !== 'string' || check(value, rule);
};
const onNumber = (check: (value: number, rule: number) => boolean): Check => {
  return ({ value, rule }) => typeof value !== 'number' || check(value, rule);
};
const onList = (check: (value: unknown[], rule: number) => boolean): Check => {
  return ({ value, rule }) => !Array.isArray(value) || check(value, rule);
};

const CHECKS: Record<string, Check> = {
  $schema: () => true,
  $defs: () => true,
  title: () => true,
  description: () => true,
  $ref: ({ rule, value, root }) => {
    const target = (root['$defs'] as Schema)[String(rule).replace('#/$defs/', '')];
    if (target === undefined) throw new Error(`${String(rule)} leads nowhere`);
    return isValid(target, value, root);
  },
  type: ({ rule, value }) => [rule as string | string[]].flat().some((type) => isOfType(value, type)),
  const: ({ rule, value }) => isDeepStrictEqual(rule, value),
  enum: ({ rule, value }) => (rule as unknown[]).includes(value),
  pattern: onText((value, rule) => new RegExp(rule, 'u').test(value)),
  format: onText((value) => {
    try {
      return new RegExp(value, 'u') instanceof RegExp;
    } catch {
      return false;
    }
  }),
  minLength: onText((value, rule) => countCharacters(value) >= rule),
  maxLength: onText((value, rule) => countCharacters(value) <= rule),
  minimum: onNumber((value, rule) => value >= rule),
  maximum: onNumber((value, rule) => value <= rule),
  minItems: onList((value, rule) => value.length >= rule),
  uniqueItems: onList((value) => new Set(value.map((item) => JSON.stringify(item))).size === value.length),
  prefixItems: ({ rule, value, root }) =>
    !Array.isArray(value) ||
    (rule as unknown[]).every((item, at) => at >= (value as unknown[]).length || isValid(item, value[at], root)),
  items: ({ rule, value, schema, root }) => {
    const first = ((schema['prefixItems'] ?? []) as unknown[]).length;
    return !Array.isArray(value) || (value as unknown[]).slice(first).every((item) => isValid(rule, item, root));
  },
  required: ({ rule, value }) => !isObject(value) || (rule as string[]).every((key) => Object.hasOwn(value, key)),
  maxProperties: ({ rule, value }) => !isObject(value) || Object.keys(value).length <= rule,
  propertyNames: ({ rule, value, root }) =>
    !isObject(value) || Object.keys(value).every((key) => isValid(rule, key, root)),
  properties: ({ rule, value, root }) =>
    !isObject(value) ||
    Object.entries(rule as Schema).every(
      ([key, item]) => !Object.hasOwn(value, key) || isValid(item, value[key], root),
    ),
  additionalProperties: ({ rule, value, schema, root }) => {
    const known = (schema['properties'] ?? {}) as Schema;
    const others = isObject(value) ? Object.entries(value).filter(([key]) => !Object.hasOwn(known, key)) : [];
    return others.every(([, item]) => rule !== false && isValid(rule, item, root));
  },
  not: ({ rule, value, root }) => !isValid(rule, value, root),
  anyOf: ({ rule, value, root }) => (rule as unknown[]).some((option) => isValid(option, value, root)),
  oneOf: ({ rule, value, root }) => (rule as unknown[]).filter((option) => isValid(option, value, root)).length === 1,
};
