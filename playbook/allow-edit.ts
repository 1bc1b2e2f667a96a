import { isMap, isScalar, isSeq, parseDocument, Scalar } from 'yaml';
import type { Document } from 'yaml';
import { InvalidInputError } from '../domain/errors.ts';
import { parseAllowFile } from './allow.ts';
import { formatProblem } from './format-problem.ts';

const NEW_FILE = '# What may run on this server. What is not named here is refused.\nversion: 1\nallow: {}\n';

/**
 * The text of `allow.yaml` with one more permission; comments and all that was permitted stay. Adding what is there
 * already changes nothing. Throws `InvalidInputError` (`invalid_allow_file`) where the text or the result is broken.
 */
export function addToAllowFile(
  text: string | undefined,
  entry: { playbook: string; params: Readonly<Record<string, readonly string[]>> },
): string {
  const before = text ?? NEW_FILE;
  refuseBroken(before);
  const document = parseDocument(before);
  const name = findName(document, entry.playbook);
  if (document.getIn(['allow', name]) === '*') return before;
  const allow = document.get('allow');
  if (isMap(allow) && allow.items.length === 0) allow.flow = false;
  if (!document.hasIn(['allow', name])) document.setIn(['allow', name], document.createNode({}, { flow: true }));
  for (const [param, values] of Object.entries(entry.params)) addValues(document, ['allow', name, param], values);
  const after = document.toString({ lineWidth: 0 });
  refuseBroken(after);
  return after;
}

/** The key as the file spells it: `_` and `-` are the same. */
function findName(document: Document, typed: string): string {
  const wanted = typed.replaceAll('_', '-');
  const allow = document.get('allow');
  const keys = isMap(allow) ? allow.items.map((pair) => (isScalar(pair.key) ? String(pair.key.value) : '')) : [];
  return keys.find((key) => key.replaceAll('_', '-') === wanted) ?? wanted;
}

function addValues(document: Document, path: string[], values: readonly string[]): void {
  const present = document.getIn(path);
  if (present === '*') return;
  if (!isSeq(present)) document.setIn(path, document.createNode([], { flow: true }));
  const known = isSeq(present) ? present.items.map((item) => String(isScalar(item) ? item.value : item)) : [];
  for (const value of new Set(values)) if (!known.includes(value)) document.addIn(path, createValue(value));
}

/** Quoted where a YAML parser could take it for anything but this text. */
function createValue(value: string): Scalar {
  const scalar = new Scalar(value);
  const isPlain = /^[a-z/][a-z0-9/@._-]{3,}$/i.test(value) && !/^(?:true|false|null)$/i.test(value);
  if (!isPlain) scalar.type = 'QUOTE_DOUBLE';
  return scalar;
}

function refuseBroken(text: string): void {
  const [problem] = parseAllowFile({ file: 'allow.yaml', text }).problems;
  if (problem === undefined) return;
  throw new InvalidInputError(formatProblem(problem), { code: 'invalid_allow_file' });
}
