import { formatDuration, parseDurationMs } from '../domain/duration.ts';
import { suggestNearest } from '../domain/nearest-word.ts';
import type { Problems } from './problems.ts';
import type { Entry, MapTree, Tree } from './yaml-tree.ts';

/** The fields of one map by key, after unknown and missing keys were told. `what` names the map in a sentence. */
export type Fields = ReadonlyMap<string, Entry>;

export function readFields(
  tree: Tree,
  problems: Problems,
  shape: { what: string; known: readonly string[]; required?: readonly string[] },
): Fields | undefined {
  if (!isMap(tree, problems, shape.what)) return undefined;
  const fields = new Map<string, Entry>();
  for (const entry of tree.entries) {
    if (shape.known.includes(entry.key)) {
      if (!fields.has(entry.key)) fields.set(entry.key, entry);
      continue;
    }
    const hint = suggestNearest(entry.key, shape.known) || ` Known: ${shape.known.join(', ')}.`;
    problems.add(entry.keyAt, 'unknown_key', `"${entry.key}" is no key of ${shape.what}.${hint}`);
  }
  for (const key of shape.required ?? []) {
    if (!fields.has(key)) problems.add(tree.at, 'missing_key', `The key "${key}" is missing in ${shape.what}.`);
  }
  return fields;
}

export function isMap(tree: Tree, problems: Problems, what: string): tree is MapTree {
  if (tree.kind === 'map') return true;
  problems.add(tree.at, 'invalid_type', `${capitalize(what)} must be a map of keys and values, not ${describe(tree)}.`);
  return false;
}

export function readString(tree: Tree | undefined, problems: Problems, what: string): string | undefined {
  if (tree === undefined) return undefined;
  if (tree.kind === 'scalar' && typeof tree.value === 'string') return tree.value;
  const hint = tree.kind === 'scalar' && tree.value !== null ? '; put it in quotes' : '';
  problems.add(tree.at, 'invalid_type', `${capitalize(what)} must be a text, not ${describe(tree)}${hint}.`);
  return undefined;
}

export function readInteger(tree: Tree | undefined, problems: Problems, what: string): number | undefined {
  if (tree === undefined) return undefined;
  if (tree.kind === 'scalar' && typeof tree.value === 'number') return tree.value;
  problems.add(tree.at, 'invalid_type', `${capitalize(what)} must be a whole number, not ${describe(tree)}.`);
  return undefined;
}

export function readBoolean(tree: Tree | undefined, problems: Problems, what: string): boolean | undefined {
  if (tree === undefined) return undefined;
  if (tree.kind === 'scalar' && typeof tree.value === 'boolean') return tree.value;
  problems.add(tree.at, 'invalid_type', `${capitalize(what)} must be true or false, not ${describe(tree)}.`);
  return undefined;
}

export function readWord<W extends string>(
  tree: Tree | undefined,
  problems: Problems,
  shape: { what: string; words: readonly W[] },
): W | undefined {
  const text = readString(tree, problems, shape.what);
  if (text === undefined || tree === undefined) return undefined;
  const word = shape.words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  const message = `${capitalize(shape.what)} must be one of ${shape.words.join(', ')}, not "${text}".`;
  problems.add(tree.at, 'invalid_value', message + suggestNearest(text, shape.words));
  return undefined;
}

/** A duration within both bounds, in milliseconds. */
export function readDurationMs(
  tree: Tree | undefined,
  problems: Problems,
  shape: { what: string; minMs: number; maxMs: number },
): number | undefined {
  if (tree === undefined) return undefined;
  const text = tree.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined;
  const ms = text === undefined ? undefined : parseDurationMs(text);
  if (ms === undefined) {
    const message = `${capitalize(shape.what)} must be a duration such as 30s, 10m or 1h, not ${describe(tree)}.`;
    problems.add(tree.at, 'invalid_duration', message);
    return undefined;
  }
  if (ms >= shape.minMs && ms <= shape.maxMs) return ms;
  const bounds = `between ${formatDuration(shape.minMs)} and ${formatDuration(shape.maxMs)}`;
  problems.add(tree.at, 'invalid_duration', `${capitalize(shape.what)} must be ${bounds}, not ${text ?? ''}.`);
  return undefined;
}

/** The items of a list that are texts; what is none is told and left out. */
export function readTexts(tree: Tree | undefined, problems: Problems, what: string): { text: string; at: number }[] {
  return readList(tree, problems, what).flatMap((item) => {
    const text = readString(item, problems, `each of ${what}`);
    return text === undefined ? [] : [{ text, at: item.at }];
  });
}

export function readList(tree: Tree | undefined, problems: Problems, what: string): Tree[] {
  if (tree === undefined) return [];
  if (tree.kind === 'list') return tree.items;
  problems.add(tree.at, 'invalid_type', `${capitalize(what)} must be a list, not ${describe(tree)}.`);
  return [];
}

function describe(tree: Tree): string {
  if (tree.kind === 'map') return 'a map';
  if (tree.kind === 'list') return 'a list';
  return tree.value === null ? 'nothing' : JSON.stringify(tree.value).slice(0, 80);
}

export function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
