import type { FieldError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';
import { findValueFault } from './check-value.ts';
import type { ParamValue, ParamValues, Playbook } from './playbook.ts';

/**
 * Checks parameters as they come from JSON and fills in the defaults. Nothing is coerced or altered. All mistakes
 * come back at once: `unknown_param`, `missing_param`, `invalid_param`.
 */
export function checkParams(
  playbook: Playbook,
  raw: Readonly<Record<string, unknown>>,
): { values: ParamValues } | { errors: FieldError[] } {
  const errors: FieldError[] = [];
  const names = Object.keys(playbook.params);
  for (const name of Object.keys(raw)) {
    if (Object.hasOwn(playbook.params, name)) continue;
    const hint = suggestNearest(name, names) || ` Known: ${names.join(', ') || 'none'}.`;
    const shown = JSON.stringify(name.slice(0, 80));
    errors.push({
      path: `params.${name}`,
      code: 'unknown_param',
      message: `${shown} is no parameter of ${playbook.name}.${hint}`,
    });
  }
  const values: [string, ParamValue][] = [];
  for (const [name, spec] of Object.entries(playbook.params)) {
    const value = Object.hasOwn(raw, name) && raw[name] !== undefined ? raw[name] : spec.default;
    const path = `params.${name}`;
    if (value === undefined) {
      errors.push({ path, code: 'missing_param', message: `${playbook.name} needs the parameter ${name}.` });
      continue;
    }
    const fault = findValueFault(spec, value);
    if (fault === undefined) values.push([name, value as ParamValue]);
    else errors.push({ path, code: 'invalid_param', message: `The parameter ${name} ${fault}.` });
  }
  return errors.length > 0 ? { errors } : { values: Object.fromEntries(values) };
}

/**
 * What a person typed as `key=value`, turned into integers and booleans where the playbook has such; `_` and `-` in
 * a name are the same. What cannot be turned stays a text, for `checkParams` to refuse.
 */
export function coerceTypedParams(
  playbook: Playbook,
  typed: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const names = Object.keys(playbook.params);
  const pairs = Object.entries(typed).map(([typedName, text]) => {
    const alike = names.find((known) => known.replaceAll('_', '-') === typedName.replaceAll('_', '-'));
    const name = Object.hasOwn(playbook.params, typedName) ? typedName : (alike ?? typedName);
    return [
      name,
      coerce(Object.hasOwn(playbook.params, name) ? playbook.params[name]?.type : undefined, text),
    ] as const;
  });
  return Object.fromEntries(pairs);
}

function coerce(type: string | undefined, text: string): unknown {
  if (type === 'integer' && /^(?:0|-?[1-9][0-9]{0,15})$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
