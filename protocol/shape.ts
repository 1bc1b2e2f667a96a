import type { FieldError } from '../domain/errors.ts';

/** What came of reading a message: the value with only its known fields, or everything that is wrong with it. */
export type Reading<T> = { isValid: true; value: T } | { isValid: false; errors: FieldError[] };

/** Checks one value at `path`; reports into `errors` and answers undefined where it does not hold. */
export type Shape<T> = (value: unknown, path: string, errors: FieldError[]) => T | undefined;

export type ValueOf<S> = S extends Shape<infer T> ? T : never;

interface OptionalShape<T> {
  optional: Shape<T>;
}
type Fields = Record<string, Shape<unknown> | OptionalShape<unknown>>;
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends OptionalShape<unknown> ? never : K }[keyof F];
type ObjectOf<F extends Fields> = { [K in RequiredKeys<F>]: ValueOf<F[K]> } & {
  [K in Exclude<keyof F, RequiredKeys<F>>]?: F[K] extends OptionalShape<infer T> ? T : never;
};

export function read<T>(shape: Shape<T>, value: unknown): Reading<T> {
  const errors: FieldError[] = [];
  const result = shape(value, '', errors);
  if (errors.length > 0) return { isValid: false, errors };
  return { isValid: true, value: result as T };
}

/** Known fields are checked, unknown ones are left out of the value without a word. */
export function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  return (value, path, errors) => {
    if (!isRecord(value)) return fail(errors, path, 'must be an object', 'not_an_object');
    const result: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(fields)) {
      const at = path === '' ? key : `${path}.${key}`;
      const isPresent = Object.hasOwn(value, key) && value[key] !== undefined;
      if (isPresent) {
        const shape = typeof field === 'function' ? field : field.optional;
        Object.defineProperty(result, key, { value: shape(value[key], at, errors), enumerable: true });
      } else if (typeof field === 'function') fail(errors, at, 'is missing', 'missing');
    }
    return result as ObjectOf<F>;
  };
}

export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { optional: shape };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path, errors) => (value === null ? null : shape(value, path, errors));
}

export function list<T>(shape: Shape<T>, { max }: { max: number }): Shape<T[]> {
  return (value, path, errors) => {
    if (!Array.isArray(value)) return fail(errors, path, 'must be a list', 'not_a_list');
    if (value.length > max) return fail(errors, path, `must hold at most ${String(max)} items`, 'too_many');
    return value.map((item, index) => shape(item, `${path}.${String(index)}`, errors) as T);
  };
}

/**
 * A string; `max` counts UTF-16 units. The empty string passes only with `min: 0`, U+0000 only with `mayHoldNul`: the
 * database stores none.
 */
export function text({ max, min = 1, pattern, is, mayHoldNul = false }: TextRules): Shape<string> {
  return (value, path, errors) => {
    if (typeof value !== 'string') return fail(errors, path, 'must be a string', 'not_a_string');
    if (value.length < min) return fail(errors, path, 'must not be empty', 'too_short');
    if (value.length > max) return fail(errors, path, `must have at most ${String(max)} characters`, 'too_long');
    if (!mayHoldNul && value.includes('\0')) return fail(errors, path, 'must not hold U+0000', 'malformed');
    if (pattern !== undefined && !pattern.test(value))
      return fail(errors, path, `must be ${is ?? 'well-formed'}`, 'malformed');
    return value;
  };
}

interface TextRules {
  max: number;
  min?: number;
  pattern?: RegExp;
  /** What the pattern stands for, to complete "must be …". */
  is?: string;
  mayHoldNul?: boolean;
}

export function integer({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }): Shape<number> {
  return (value, path, errors) => {
    if (!Number.isSafeInteger(value)) return fail(errors, path, 'must be a whole number', 'not_an_integer');
    return inRange(value as number, { min, max, path, errors });
  };
}

export function number({ min, max = Number.MAX_VALUE }: { min: number; max?: number }): Shape<number> {
  return (value, path, errors) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return fail(errors, path, 'must be a number', 'not_a_number');
    }
    return inRange(value, { min, max, path, errors });
  };
}

function inRange(
  value: number,
  { min, max, path, errors }: { min: number; max: number; path: string; errors: FieldError[] },
) {
  if (value < min) return fail(errors, path, `must be at least ${String(min)}`, 'too_small');
  if (value > max) return fail(errors, path, `must be at most ${String(max)}`, 'too_large');
  return value;
}

export function boolean(): Shape<boolean> {
  return (value, path, errors) =>
    typeof value === 'boolean' ? value : fail(errors, path, 'must be true or false', 'not_a_boolean');
}

export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  return (value, path, errors) =>
    words.includes(value as T)
      ? (value as T)
      : fail(errors, path, `must be one of ${words.join(', ')}`, 'unknown_value');
}

/** A moment as ISO 8601 in UTC, with `Z` and at most nanoseconds. */
export function moment(): Shape<string> {
  return (value, path, errors) => {
    const isMoment = typeof value === 'string' && MOMENT.test(value) && !Number.isNaN(Date.parse(value));
    return isMoment
      ? value
      : fail(errors, path, 'must be a time in ISO 8601 UTC, like 2026-01-31T12:00:00.000Z', 'malformed');
  };
}

/** Any JSON value, judged later and elsewhere. */
export function anything(): Shape<unknown> {
  return (value) => value;
}

/** An object of scalars under names of the sender's choice. */
export function scalars({ max }: { max: number }): Shape<Record<string, string | number | boolean>> {
  return (value, path, errors) => {
    if (!isRecord(value)) return fail(errors, path, 'must be an object', 'not_an_object');
    const entries = Object.entries(value);
    if (entries.length > max) return fail(errors, path, `must hold at most ${String(max)} names`, 'too_many');
    for (const [key, item] of entries) {
      if (!['string', 'number', 'boolean'].includes(typeof item)) {
        fail(errors, `${path}.${key}`, 'must be a string, a number or true/false', 'not_a_scalar');
      }
    }
    return Object.fromEntries(entries) as Record<string, string | number | boolean>;
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

function fail(errors: FieldError[], path: string, message: string, code: string): undefined {
  errors.push({ path, message, code });
  return undefined;
}
