import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { ParamSpec, ParamValue } from '../../../playbook/playbook.ts';

const FOLDER = new URL('../../../playbooks/', import.meta.url);

/** Whatever lies in `playbooks/`, so that a new one is held to the same tests without a word here. */
export const SHIPPED_FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, FOLDER), 'utf8') }));

/** Values that a parameter accepts by the contract, made from its specification without the product's own checks. */
export function generateValid(spec: ParamSpec): fc.Arbitrary<ParamValue> {
  switch (spec.type) {
    case 'string':
      return generateText(spec);
    case 'integer':
      return fc.integer({ min: spec.min ?? 0, max: spec.max ?? Number.MAX_SAFE_INTEGER });
    case 'boolean':
      return fc.boolean();
    case 'enum':
      return fc.constantFrom(...spec.values);
    case 'path':
      return fc
        .tuple(fc.constantFrom(...spec.within), fc.array(generateSegment(), { maxLength: 6 }))
        .map(([directory, segments]) => [directory, ...segments].join('/'))
        .filter((path) => [...path].length <= 1024);
  }
}

function generateText(spec: Extract<ParamSpec, { type: 'string' }>): fc.Arbitrary<string> {
  const text =
    spec.pattern === undefined
      ? fc.string({ unit: 'grapheme', minLength: 1, maxLength: spec.maxLength })
      : fc.stringMatching(new RegExp(`^(?:${spec.pattern})$`, 'u'));
  return text.filter((value) => isSafe(value) && [...value].length <= spec.maxLength);
}

/** A name as a file system takes it: spaces, quotes, `$`, `;`, `*` and letters of any script are all fine. */
function generateSegment(): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(...'ab.- $;`\'"*?&|<>(){}[]~#!\\='), minLength: 1, maxLength: 20 }),
    )
    .filter((name) => isSafe(`/${name}`) && !name.includes('/') && !/^(?:\.\.?|\s.*|.*\s)$/su.test(name));
}

function isSafe(value: string): boolean {
  return (
    value !== '' && !value.startsWith('-') && !/[\p{C}\u2028\u2029]/u.test(value.replaceAll(/\p{Cn}|\p{Co}/gu, ''))
  );
}
