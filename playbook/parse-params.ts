import { findValueFault } from './check-value.ts';
import { isMap, readBoolean, readFields, readString, readWord } from './fields.ts';
import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_PARAMS, PARAM_NAME, RESERVED_PARAM_NAMES } from './limits.ts';
import { readSpec } from './parse-param-spec.ts';
import type { ParamContext } from './parse-param-spec.ts';
import { PARAM_TYPES } from './playbook.ts';
import type { ParamSpec, ParamValue } from './playbook.ts';
import type { Problems } from './problems.ts';
import type { Entry, Tree } from './yaml-tree.ts';

export const COMMON_PARAM_KEYS = ['type', 'description', 'required', 'default'] as const;
export const PARAM_KEYS: Readonly<Record<ParamSpec['type'], readonly string[]>> = {
  string: ['pattern', 'max_length'],
  integer: ['min', 'max'],
  boolean: [],
  enum: ['values'],
  path: ['within'],
};

/** All parameters by name; one whose own text is wrong is told and stands in the map as undefined. */
export function readParams(tree: Tree | undefined, problems: Problems): Map<string, ParamSpec | undefined> {
  const params = new Map<string, ParamSpec | undefined>();
  if (tree === undefined || !isMap(tree, problems, 'params')) return params;
  if (tree.entries.length > MAX_PARAMS) {
    problems.add(tree.at, 'too_many_params', `There are ${tree.entries.length} parameters; at most ${MAX_PARAMS} fit.`);
  }
  for (const entry of tree.entries) {
    checkName(entry, problems);
    params.set(entry.key, readParam(entry, problems));
  }
  return params;
}

function checkName(entry: Entry, problems: Problems): void {
  if (RESERVED_PARAM_NAMES.includes(entry.key)) {
    problems.add(entry.keyAt, 'invalid_name', `"${entry.key}" is reserved; call the parameter something else.`);
  } else if (!PARAM_NAME.test(entry.key) || entry.key.length > MAX_NAME_LENGTH) {
    const message = `"${entry.key}" is no parameter name: small letters, digits, "_" and "-", beginning with a letter.`;
    problems.add(entry.keyAt, 'invalid_name', message);
  }
}

function readParam(entry: Entry, problems: Problems): ParamSpec | undefined {
  const what = `the parameter ${entry.key}`;
  if (!isMap(entry.value, problems, what)) return undefined;
  const typeEntry = entry.value.entries.find((field) => field.key === 'type');
  const type = readWord(typeEntry?.value, problems, { what: `type of ${what}`, words: PARAM_TYPES });
  const specific = type === undefined ? Object.values(PARAM_KEYS).flat() : PARAM_KEYS[type];
  const known = [...COMMON_PARAM_KEYS, ...specific];
  const fields = readFields(entry.value, problems, { what, known, required: ['type'] });
  if (fields === undefined || type === undefined) return undefined;
  const context = { fields, problems, what, at: entry.keyAt };
  const spec = readSpec(type, context);
  if (spec === undefined) return undefined;
  const description = readString(fields.get('description')?.value, problems, `description of ${what}`);
  if (description !== undefined) {
    if (description.length > MAX_DESCRIPTION_LENGTH) {
      const message = `The description is longer than ${MAX_DESCRIPTION_LENGTH} characters.`;
      problems.add(fields.get('description')?.value.at ?? entry.keyAt, 'invalid_value', message);
    }
    spec.description = description;
  }
  readPresence(spec, context);
  return spec;
}

/** Required, or with a default that its own spec accepts: never neither, never both. */
function readPresence(spec: ParamSpec, context: ParamContext): void {
  const { fields, problems, what, at } = context;
  const required = fields.get('required');
  const byDefault = fields.get('default');
  spec.required = readBoolean(required?.value, problems, `required of ${what}`) ?? byDefault === undefined;
  if (spec.required && byDefault !== undefined) {
    problems.add(byDefault.keyAt, 'needless_default', `A required parameter has no default; leave one of the two out.`);
  }
  if (byDefault === undefined) {
    if (spec.required && required !== undefined) return;
    problems.add(required?.keyAt ?? at, 'missing_default', `Say "required: true" or give a default for ${what}.`);
    return;
  }
  const value = byDefault.value.kind === 'scalar' ? byDefault.value.value : undefined;
  const fault = findValueFault(spec, value);
  if (fault !== undefined) {
    problems.add(byDefault.value.at, 'invalid_default', `The default of ${what} ${fault}.`);
    return;
  }
  Object.assign(spec, { default: value as ParamValue });
}
