import { parsePattern } from './pattern-syntax.ts';
import type { PatternNode } from './pattern-syntax.ts';

/** `(a+)+`, `(?:\s*x)*` in a pattern with lookaround or the like, whose structure `parsePattern` does not tell. */
const NESTED_QUANTIFIER = /\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,)/;
export const MAX_MASK_LENGTH = 500;

/** What is wrong with an owner's own secret pattern, as the rest of a sentence; undefined where nothing is. */
export function findMaskFault(pattern: string): string | undefined {
  if (pattern.length > MAX_MASK_LENGTH) return `is longer than ${MAX_MASK_LENGTH} characters`;
  let compiled: RegExp;
  try {
    compiled = new RegExp(pattern, 'u');
  } catch (error) {
    return `is no valid regular expression (${error instanceof Error ? error.message : String(error)})`;
  }
  if (compiled.test('')) return 'matches the empty text; it must match at least one character';
  const parsed = parsePattern(pattern);
  const isNested = 'fault' in parsed ? NESTED_QUANTIFIER.test(pattern) : repeatsRepetition(parsed.node, false);
  return isNested ? 'repeats a repetition, which can take for ever; write it flat' : undefined;
}

/** Whether a part that may take any length is itself repeated a varying number of times, however deep it stands. */
function repeatsRepetition(node: PatternNode, isRepeated: boolean): boolean {
  switch (node.kind) {
    case 'character':
    case 'start':
    case 'end':
      return false;
    case 'sequence':
      return node.items.some((item) => repeatsRepetition(item, isRepeated));
    case 'choice':
      return node.options.some((option) => repeatsRepetition(option, isRepeated));
    case 'repeat':
      if (isRepeated && node.max === Infinity) return true;
      return repeatsRepetition(node.item, isRepeated || (node.max > 1 && node.max > node.min));
  }
}
