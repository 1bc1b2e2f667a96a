import { findNearestWord } from '../domain/nearest-word.ts';
import { MAX_VALUE_LENGTH } from './limits.ts';
import { compilePattern } from './pattern.ts';
import type { Matcher } from './pattern.ts';
import type { ParamSpec, PathParam, StringParam } from './playbook.ts';
import { findArgumentFault, findPathFault, isWithin } from './safe-text.ts';

const matchers = new WeakMap<StringParam, Matcher>();

/** What is wrong with a value for a parameter, as the rest of a sentence; undefined where nothing is. */
export function findValueFault(spec: ParamSpec, value: unknown): string | undefined {
  switch (spec.type) {
    case 'string':
      return typeof value === 'string' ? findStringFault(spec, value) : 'must be a text';
    case 'path':
      return typeof value === 'string' ? findWithinFault(spec, value) : 'must be a path as text';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'integer':
      return findIntegerFault(spec, value);
    case 'enum': {
      if (typeof value === 'string' && spec.values.includes(value)) return undefined;
      const nearest = typeof value === 'string' ? findNearestWord(value, spec.values) : undefined;
      return `must be one of ${spec.values.join(', ')}${nearest === undefined ? '' : ` (nearest: "${nearest}")`}`;
    }
  }
}

function findStringFault(spec: StringParam, value: string): string | undefined {
  const fault = findTextFault(value, spec.maxLength);
  if (fault !== undefined || spec.pattern === undefined) return fault;
  let matches = matchers.get(spec);
  if (matches === undefined) {
    const compiled = compilePattern(spec.pattern);
    if ('fault' in compiled) return `cannot be checked: the pattern ${compiled.fault}`;
    matches = compiled.matches;
    matchers.set(spec, matches);
  }
  return matches(value) ? undefined : `must match ${spec.pattern} as a whole`;
}

function findWithinFault(spec: PathParam, value: string): string | undefined {
  const fault = findTextFault(value, MAX_VALUE_LENGTH) ?? findPathFault(value);
  if (fault !== undefined) return fault;
  return spec.within.some((directory) => isWithin(value, directory))
    ? undefined
    : `must lie within ${spec.within.join(' or ')}`;
}

function findTextFault(value: string, maxLength: number): string | undefined {
  const isTooLong = value.length > 2 * maxLength || [...value].length > maxLength;
  return isTooLong ? `must not be longer than ${maxLength} characters` : findArgumentFault(value);
}

function findIntegerFault(spec: Extract<ParamSpec, { type: 'integer' }>, value: unknown): string | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return 'must be a whole number';
  if (value < (spec.min ?? 0)) return `must be at least ${spec.min ?? 0}`;
  if (spec.max !== undefined && value > spec.max) return `must be at most ${spec.max}`;
  return undefined;
}
