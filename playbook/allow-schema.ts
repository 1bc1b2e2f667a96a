import { ALLOW_KEYS } from './allow.ts';
import { closedObject, SCHEMA_DIALECT } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { MAX_NAME_LENGTH, PARAM_NAME } from './limits.ts';
import { MAX_MASK_LENGTH } from './mask-pattern.ts';

/** What an editor can know of `allow.yaml`, as JSON Schema 2020-12. Whatever the parser accepts is valid. */
export function createAllowSchema(): JsonSchema {
  const everything = { const: '*', description: 'All that the playbook accepts.' };
  const value = { type: ['string', 'integer', 'boolean'], minLength: 1 };
  const values = { type: 'array', items: value, description: 'Values; "*" stands for any run of characters but "/".' };
  const name = { pattern: PARAM_NAME.source, maxLength: MAX_NAME_LENGTH };
  const byParam = { type: 'object', propertyNames: name, additionalProperties: { anyOf: [everything, values] } };
  const properties = {
    version: { const: 1 },
    allow: {
      type: 'object',
      description: 'By playbook. What is not named here is refused on this server.',
      propertyNames: name,
      additionalProperties: { anyOf: [everything, byParam] },
    },
    mask: {
      type: 'array',
      description: 'Regular expressions of secrets to mask in output, beyond those that are always masked.',
      items: { type: 'string', format: 'regex', minLength: 1, maxLength: MAX_MASK_LENGTH },
    },
  };
  return {
    $schema: SCHEMA_DIALECT,
    title: 'Medic allow.yaml',
    description: 'What the owner of a server permits to run on it.',
    ...closedObject(properties, ALLOW_KEYS.required),
  };
}
