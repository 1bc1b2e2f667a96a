import type { Fields } from './fields.ts';
import { readInteger, readString, readTexts } from './fields.ts';
import { DEFAULT_MAX_LENGTH, MAX_VALUE_LENGTH } from './limits.ts';
import { compilePattern } from './pattern.ts';
import type { ParamSpec } from './playbook.ts';
import type { Problems } from './problems.ts';
import { findArgumentFault, findPathFault } from './safe-text.ts';

export interface ParamContext {
  fields: Fields;
  problems: Problems;
  what: string;
  at: number;
}

/** What the type of a parameter adds to it; undefined where its text is wrong, which is told. */
export function readSpec(type: ParamSpec['type'], context: ParamContext): ParamSpec | undefined {
  switch (type) {
    case 'string':
      return readStringSpec(context);
    case 'integer':
      return readIntegerSpec(context);
    case 'boolean':
      return { type, required: true };
    case 'enum': {
      const values = readValues(context, { key: 'values', findFault: findArgumentFault });
      return values === undefined ? undefined : { type, values, required: true };
    }
    case 'path': {
      const within = readValues(context, { key: 'within', findFault: findDirectoryFault });
      return within === undefined ? undefined : { type, within, required: true };
    }
  }
}

function readStringSpec({ fields, problems, what }: ParamContext): ParamSpec | undefined {
  const lengthTree = fields.get('max_length')?.value;
  const maxLength = readInteger(lengthTree, problems, `max_length of ${what}`) ?? DEFAULT_MAX_LENGTH;
  const isLengthGood = maxLength >= 1 && maxLength <= MAX_VALUE_LENGTH;
  if (!isLengthGood) {
    const message = `max_length of ${what} must be between 1 and ${MAX_VALUE_LENGTH}, not ${maxLength}.`;
    problems.add(lengthTree?.at ?? 0, 'invalid_value', message);
  }
  const patternTree = fields.get('pattern')?.value;
  const pattern = readString(patternTree, problems, `pattern of ${what}`);
  if (pattern !== undefined) {
    const compiled = compilePattern(pattern);
    if ('fault' in compiled) {
      problems.add(patternTree?.at ?? 0, 'invalid_pattern', `The pattern of ${what} ${compiled.fault}.`);
      return undefined;
    }
  }
  if (!isLengthGood || (patternTree !== undefined && pattern === undefined)) return undefined;
  return { type: 'string', maxLength, required: true, ...(pattern === undefined ? {} : { pattern }) };
}

function readIntegerSpec({ fields, problems, what }: ParamContext): ParamSpec | undefined {
  const min = readInteger(fields.get('min')?.value, problems, `min of ${what}`);
  const max = readInteger(fields.get('max')?.value, problems, `max of ${what}`);
  if (min !== undefined && min < 0) {
    const message = `min of ${what} must be 0 or more: an argument never starts with "-".`;
    problems.add(fields.get('min')?.value.at ?? 0, 'invalid_value', message);
    return undefined;
  }
  if (max !== undefined && max < (min ?? 0)) {
    problems.add(fields.get('max')?.value.at ?? 0, 'invalid_value', `max of ${what} must not be below its min.`);
    return undefined;
  }
  return {
    type: 'integer',
    required: true,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

function readValues(
  context: ParamContext,
  shape: { key: string; findFault: (text: string) => string | undefined },
): string[] | undefined {
  const { fields, problems, what, at } = context;
  const tree = fields.get(shape.key)?.value;
  const label = `${shape.key} of ${what}`;
  const items = readTexts(tree, problems, label);
  if (items.length === 0) {
    if (tree === undefined || (tree.kind === 'list' && tree.items.length === 0)) {
      problems.add(tree?.at ?? at, 'missing_key', `List at least one text as ${label}.`);
    }
    return undefined;
  }
  for (const [index, item] of items.entries()) {
    const fault = shape.findFault(item.text);
    if (fault !== undefined) problems.add(item.at, 'invalid_value', `"${item.text}" in ${label} ${fault}.`);
    const isRepeated = items.findIndex((other) => other.text === item.text) < index;
    if (isRepeated) problems.add(item.at, 'invalid_value', `"${item.text}" stands twice in ${label}.`);
  }
  return items.map((item) => item.text);
}

function findDirectoryFault(text: string): string | undefined {
  if (text === '/') return 'must be narrower than the whole file system';
  return findArgumentFault(text) ?? findPathFault(text);
}
