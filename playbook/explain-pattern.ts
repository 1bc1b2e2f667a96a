import { parsePattern } from './pattern-syntax.ts';
import type { PatternNode } from './pattern-syntax.ts';

const MAX_PARTS = 6; // beyond that the pattern itself is easier to read

/** A pattern in words, `1 to 64 characters of a–z 0–9 . _ -`; undefined where words would be longer or less exact than it. */
export function explainPattern(pattern: string): string | undefined {
  const parsed = parsePattern(pattern);
  return 'fault' in parsed ? undefined : explain(parsed.node);
}

function explain(node: PatternNode): string | undefined {
  switch (node.kind) {
    case 'start':
    case 'end':
      return undefined;
    case 'character':
      return explainCharacter(node.source);
    case 'repeat':
      return explainRepeat(node);
    case 'choice':
      return joinAll(node.options.map(explain), ', or ');
    case 'sequence':
      return explainSequence(node.items);
  }
}

/** A value is matched as a whole anyway, so anchors at its ends say nothing. */
function explainSequence(items: readonly PatternNode[]): string | undefined {
  const isAnchor = (item: PatternNode, index: number): boolean =>
    (item.kind === 'start' && index === 0) || (item.kind === 'end' && index === items.length - 1);
  const parts: (string | undefined)[] = [];
  let text = '';
  const endText = (): void => {
    if (text !== '') parts.push(`“${text}”`);
    text = '';
  };
  for (const item of items.filter((one, index) => !isAnchor(one, index))) {
    const letter = item.kind === 'character' ? literalOf(item.source) : undefined;
    if (letter !== undefined) {
      text += letter;
      continue;
    }
    endText();
    parts.push(explain(item));
  }
  endText();
  return parts.length === 0 ? undefined : joinAll(parts, ', then ');
}

function explainRepeat({ item, min, max }: Extract<PatternNode, { kind: 'repeat' }>): string | undefined {
  const what = item.kind === 'character' ? explainCharacter(item.source) : explain(item);
  if (what === undefined) return undefined;
  if (min === 0 && max === 1) return `perhaps ${what}`;
  if (item.kind !== 'character') return min === 0 && max === Infinity ? `any number of times (${what})` : undefined;
  if (max === 1) return what;
  const counts = max === Infinity ? `${min} or more` : `${min} to ${max}`;
  return `${min === max ? min : counts} characters of ${what}`;
}

function explainCharacter(source: string): string | undefined {
  const letter = literalOf(source);
  if (letter !== undefined) return `“${letter}”`;
  if (source === '.') return 'any character';
  if (source.startsWith('[^')) return undefined;
  if (source.startsWith('[')) return explainClass(source.slice(1, -1));
  return CLASSES[source];
}

const CLASSES: Readonly<Record<string, string>> = {
  '\\d': '0–9',
  '\\w': 'a–z A–Z 0–9 _',
  '\\p{L}': 'letters',
  '\\p{N}': 'numbers',
};

/** `a-z0-9@._-` → `a–z 0–9 @ . _ -`. */
function explainClass(inner: string): string | undefined {
  const atoms = inner.match(/\\p\{\w+\}|\\.|[^\\]/gu) ?? [];
  const told: string[] = [];
  for (let at = 0; at < atoms.length; at++) {
    const atom = atoms[at] ?? '';
    const word = CLASSES[atom];
    const from = literalOf(atom, '\\');
    const to = literalOf(atoms[at + 2] ?? '', '\\');
    if (word !== undefined) told.push(word);
    else if (from === undefined) return undefined;
    else if (atoms[at + 1] === '-' && to !== undefined) {
      told.push(`${from}–${to}`);
      at += 2;
    } else told.push(from === ' ' ? 'space' : from);
  }
  return told.length === 0 ? undefined : told.join(' ');
}

/** The character that a piece of a pattern stands for, where it stands for itself. */
function literalOf(source: string, special = '\\.[(^$'): string | undefined {
  const escaped = /^\\([^\p{L}\p{N}])$/u.exec(source)?.[1];
  if (escaped !== undefined) return escaped;
  return [...source].length === 1 && !special.includes(source) ? source : undefined;
}

function joinAll(parts: readonly (string | undefined)[], separator: string): string | undefined {
  const told = parts.filter((part) => part !== undefined);
  return told.length === parts.length && told.length <= MAX_PARTS ? told.join(separator) : undefined;
}
