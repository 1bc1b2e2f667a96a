import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Pair } from 'yaml';
import { MAX_DOCUMENT_BYTES } from './limits.ts';
import { Problems } from './problems.ts';

/** A YAML document as plain JSON with positions: offsets into the text, for `Problems.add`. */
export type Tree =
  | { kind: 'map'; at: number; entries: Entry[] }
  | { kind: 'list'; at: number; items: Tree[] }
  | { kind: 'scalar'; at: number; value: string | number | boolean | null };
export interface Entry {
  key: string;
  keyAt: number;
  value: Tree;
}
export type MapTree = Extract<Tree, { kind: 'map' }>;

/** Plain words that YAML 1.1 and 1.2 read differently: a stranger's parser would get another digest. */
const AMBIGUOUS_WORD = /^(?:y|yes|n|no|on|off|=|<<)$/i;
const AMBIGUOUS_NUMBER =
  /^[-+]?(?:0[0-9_]+|0[box][0-9a-f_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[0-9]*_[0-9_]*|\.(?:inf|nan)|[0-9_]*\.?[0-9_]+e[-+]?[0-9]+)$/i;
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?$/;
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/;

/**
 * Reads YAML strictly: whatever two parsers could take for different JSON is a problem (duplicate keys, anchors,
 * aliases, merge keys, tags, directives, several documents, keys that are no strings, numbers other than plain
 * safe integers, plain `yes`, `0o17`, `2001-01-01`). No tree where the text is not YAML at all.
 */
export function readYaml(input: { file: string; text: string }): { tree?: Tree; problems: Problems } {
  const lines = new LineCounter();
  const problems = new Problems(input.file, lines);
  const bytes = new TextEncoder().encode(input.text).length;
  if (bytes > MAX_DOCUMENT_BYTES) {
    problems.add(0, 'too_large', `The file has ${bytes} bytes; at most ${MAX_DOCUMENT_BYTES} are read.`);
    return { problems };
  }
  try {
    const documents = parseAllDocuments(input.text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
    const tree = convertDocuments('empty' in documents ? [] : documents, problems);
    return tree === undefined ? { problems } : { tree, problems };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.add(0, 'too_deep', 'The file is nested too deeply.');
    return { problems };
  }
}

/** The tree as the JSON value it stands for. */
export function toJson(tree: Tree): unknown {
  switch (tree.kind) {
    case 'map':
      return Object.fromEntries(tree.entries.map((entry) => [entry.key, toJson(entry.value)]));
    case 'list':
      return tree.items.map(toJson);
    case 'scalar':
      return tree.value;
  }
}

function convertDocuments(documents: Document.Parsed[], problems: Problems): Tree | undefined {
  const [document, second] = documents;
  if (document === undefined || document.contents === null) {
    problems.add(0, 'empty_document', 'The file is empty.');
    return undefined;
  }
  if (second !== undefined) {
    problems.add(second.range[0], 'several_documents', 'The file holds several YAML documents; put one in each file.');
  }
  if (document.directives.yaml.explicit === true || Object.keys(document.directives.tags).length > 1) {
    problems.add(0, 'ambiguous_yaml', 'Directives such as %YAML and %TAG are not allowed; leave them out.');
  }
  let isReadable = true;
  for (const error of [...document.errors, ...document.warnings]) {
    const isDuplicate = error.code === 'DUPLICATE_KEY';
    if (error.name === 'YAMLParseError' && !isDuplicate) isReadable = false;
    const code = isDuplicate ? 'duplicate_key' : 'invalid_yaml';
    problems.add(error.pos[0], code, isDuplicate ? 'This key stands here twice.' : `Not valid YAML: ${error.message}.`);
  }
  return isReadable ? convert(document.contents, problems) : undefined;
}

function convert(node: unknown, problems: Problems): Tree {
  if (isAlias(node)) {
    const at = node.range?.[0] ?? 0;
    problems.add(at, 'ambiguous_yaml', `The alias *${node.source} is not allowed; write the value out.`);
    return { kind: 'scalar', at, value: null };
  }
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return { kind: 'scalar', at: 0, value: null };
  const at = node.range?.[0] ?? 0;
  if (node.anchor !== undefined) {
    problems.add(at, 'ambiguous_yaml', `The anchor &${node.anchor} is not allowed; write the value out.`);
  }
  if (node.tag !== undefined) problems.add(at, 'ambiguous_yaml', `The tag ${node.tag} is not allowed; leave it out.`);
  if (isMap(node)) return { kind: 'map', at, entries: node.items.flatMap((pair) => convertPair(pair, at, problems)) };
  if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => convert(item, problems)) };
  return {
    kind: 'scalar',
    at,
    value: convertScalar({ value: node.value, source: node.source, type: node.type, at }, problems),
  };
}

function convertPair(pair: Pair, mapAt: number, problems: Problems): Entry[] {
  const key = convert(pair.key, problems);
  if (key.kind !== 'scalar' || typeof key.value !== 'string') {
    problems.add(key.at, 'ambiguous_yaml', 'A key must be a string; put it in quotes.');
    return [];
  }
  if (key.value === '__proto__') {
    problems.add(key.at, 'unknown_key', 'The key "__proto__" is not allowed.');
    return [];
  }
  const value: Tree =
    pair.value === null ? { kind: 'scalar', at: key.at || mapAt, value: null } : convert(pair.value, problems);
  return [{ key: key.value, keyAt: key.at, value }];
}

function convertScalar(
  scalar: { value: unknown; source: string | undefined; type: string | null | undefined; at: number },
  problems: Problems,
): string | number | boolean | null {
  const { value, at } = scalar;
  const source = scalar.source ?? '';
  const isPlain = scalar.type === 'PLAIN';
  if (isPlain && (AMBIGUOUS_WORD.test(source) || AMBIGUOUS_NUMBER.test(source) || TIMESTAMP.test(source))) {
    problems.add(at, 'ambiguous_yaml', `Not every YAML parser reads ${source} alike; put it in quotes.`);
    return source;
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) problems.add(at, 'invalid_text', 'The text holds half of a surrogate pair.');
    return value.toWellFormed();
  }
  if (typeof value === 'number') {
    if (!INTEGER.test(source)) {
      problems.add(
        at,
        'ambiguous_yaml',
        `${source} is no plain whole number; if it is meant as text, put it in quotes.`,
      );
    } else if (!Number.isSafeInteger(value)) {
      problems.add(at, 'ambiguous_yaml', `${source} is too large to be exact; put it in quotes.`);
    }
    return Number.isFinite(value) ? value : 0;
  }
  return typeof value === 'boolean' ? value : null;
}
