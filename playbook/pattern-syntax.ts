export type PatternNode =
  | { kind: 'character'; source: string }
  | { kind: 'start' }
  | { kind: 'end' }
  | { kind: 'sequence'; items: PatternNode[] }
  | { kind: 'choice'; options: PatternNode[] }
  | { kind: 'repeat'; item: PatternNode; min: number; max: number };

const QUANTIFIER = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/;
const ESCAPE =
  /^\\(?:[dDwWsStnvfr0]|c[A-Za-z]|x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|[pP]\{[^}]*\}|[^\p{L}\p{N}])/u;
const CLASS = /^\[(?:\\[^]|[^\]\\])*\]/;
const MAX_REPETITIONS = 2000;

class Unsupported extends Error {}

/** The structure of a pattern that `new RegExp(pattern, 'u')` accepts; a fault where it needs more than an automaton. */
export function parsePattern(pattern: string): { node: PatternNode } | { fault: string } {
  const reader = { rest: pattern };
  try {
    return { node: readChoice(reader) };
  } catch (error) {
    if (error instanceof Unsupported) return { fault: error.message };
    throw error;
  }
}

function readChoice(reader: { rest: string }): PatternNode {
  const options = [readSequence(reader)];
  while (reader.rest.startsWith('|')) {
    take(reader, 1);
    options.push(readSequence(reader));
  }
  return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
}

function readSequence(reader: { rest: string }): PatternNode {
  const items: PatternNode[] = [];
  while (reader.rest !== '' && !/^[|)]/.test(reader.rest)) items.push(readQuantified(reader));
  return { kind: 'sequence', items };
}

function readQuantified(reader: { rest: string }): PatternNode {
  const item = readAtom(reader);
  const match = QUANTIFIER.exec(reader.rest);
  if (match === null) return item;
  take(reader, match[0].length);
  const bounds = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }[match[0].charAt(0)];
  const min = bounds?.[0] ?? Number(match[1]);
  let max = bounds?.[1] ?? min;
  if (match[2] !== undefined) max = match[3] === '' ? Infinity : Number(match[3]);
  if (min > MAX_REPETITIONS || (max !== Infinity && max > MAX_REPETITIONS)) {
    throw new Unsupported(`repeats more than ${MAX_REPETITIONS} times`);
  }
  return { kind: 'repeat', item, min, max };
}

function readAtom(reader: { rest: string }): PatternNode {
  const { rest } = reader;
  if (rest.startsWith('(')) return readGroup(reader);
  if (rest.startsWith('^')) return { kind: take(reader, 1) === '^' ? 'start' : 'end' };
  if (rest.startsWith('$')) return { kind: take(reader, 1) === '$' ? 'end' : 'start' };
  if (rest.startsWith('[')) return { kind: 'character', source: take(reader, CLASS.exec(rest)?.[0].length ?? 1) };
  if (rest.startsWith('\\')) {
    const match = ESCAPE.exec(rest);
    if (match === null) throw new Unsupported(`holds ${rest.slice(0, 2)}, which is not supported in a pattern`);
    return { kind: 'character', source: take(reader, match[0].length) };
  }
  return { kind: 'character', source: take(reader, String.fromCodePoint(rest.codePointAt(0) ?? 0).length) };
}

function readGroup(reader: { rest: string }): PatternNode {
  const match = /^\((?:\?:|\?<[^=!>][^>]*>)?(?!\?)/.exec(reader.rest);
  if (match === null) throw new Unsupported(`holds ${reader.rest.slice(0, 3)}, which is not supported in a pattern`);
  take(reader, match[0].length);
  const node = readChoice(reader);
  take(reader, 1);
  return node;
}

function take(reader: { rest: string }, length: number): string {
  const taken = reader.rest.slice(0, length);
  reader.rest = reader.rest.slice(length);
  return taken;
}
