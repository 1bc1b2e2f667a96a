import { digestOf } from './digest.ts';
import { readBoolean, readDurationMs, readFields, readString, readWord } from './fields.ts';
import type { Fields } from './fields.ts';
import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_TIMEOUT_MS, MAX_TITLE_LENGTH } from './limits.ts';
import { MIN_TIMEOUT_MS, PLAYBOOK_NAME } from './limits.ts';
import { readParams } from './parse-params.ts';
import { readRetry } from './parse-retry.ts';
import { readSteps } from './parse-steps.ts';
import { RISKS } from './playbook.ts';
import type { ParamSpec, Playbook, PlaybookProblem } from './playbook.ts';
import type { Problems } from './problems.ts';
import { findHiddenCharacter } from './safe-text.ts';
import { readYaml, toJson } from './yaml-tree.ts';
import type { Tree } from './yaml-tree.ts';

export const REQUIRED_KEYS = ['name', 'title', 'risk', 'timeout', 'steps'] as const;
export const OPTIONAL_KEYS = [
  'description',
  'params',
  'max_timeout',
  'idempotent',
  'retry',
  'verify',
  'rollback',
] as const;

/**
 * Reads one playbook and tells every mistake at once, in the order of the text. A playbook comes back only where
 * there is no problem at all. With `expectedName` another name is a problem too.
 */
export function parsePlaybook(input: { file: string; text: string; expectedName?: string }): {
  playbook?: Playbook;
  problems: PlaybookProblem[];
} {
  const { tree, problems } = readYaml(input);
  if (tree === undefined) return { problems: problems.list() };
  const known = [...REQUIRED_KEYS, ...OPTIONAL_KEYS];
  const fields = readFields(tree, problems, { what: 'the playbook', known, required: REQUIRED_KEYS });
  if (fields === undefined) return { problems: problems.list() };
  const playbook = readPlaybook({ tree, fields, problems, expectedName: input.expectedName });
  return problems.isEmpty ? { playbook, problems: [] } : { problems: problems.list() };
}

function readPlaybook(input: {
  tree: Tree;
  fields: Fields;
  problems: Problems;
  expectedName: string | undefined;
}): Playbook {
  const { fields, problems } = input;
  const name = readName(fields, problems, input.expectedName);
  const title = readText(fields, problems, { key: 'title', maxLength: MAX_TITLE_LENGTH });
  const description = readText(fields, problems, { key: 'description', maxLength: MAX_DESCRIPTION_LENGTH });
  const risk = readWord(fields.get('risk')?.value, problems, { what: 'risk', words: RISKS }) ?? 'critical';
  const params = readParams(fields.get('params')?.value, problems);
  const used = new Set<string>();
  const context = { problems, params, used };
  const steps = readSteps(fields.get('steps')?.value, context, 'steps');
  const verify = readSteps(fields.get('verify')?.value, context, 'verify');
  const rollback = readSteps(fields.get('rollback')?.value, context, 'rollback');
  checkUse(fields, { problems, params, used });
  return {
    name,
    title,
    description,
    risk,
    params: Object.fromEntries([...params].filter((pair): pair is [string, ParamSpec] => pair[1] !== undefined)),
    ...readTimeouts(fields, problems),
    isIdempotent: readBoolean(fields.get('idempotent')?.value, problems, 'idempotent') ?? false,
    retry: readRetry(fields, problems),
    steps,
    verify,
    rollback,
    digest: problems.isEmpty ? digestOf(toJson(input.tree)) : '',
  };
}

function readName(fields: Fields, problems: Problems, expectedName: string | undefined): string {
  const tree = fields.get('name')?.value;
  const name = readString(tree, problems, 'name');
  if (name === undefined || tree === undefined) return '';
  if (!PLAYBOOK_NAME.test(name) || name.length > MAX_NAME_LENGTH) {
    const message = `"${name}" is no playbook name: kebab-case such as restart-service, at most ${MAX_NAME_LENGTH} characters.`;
    problems.add(tree.at, 'invalid_name', message);
  } else if (expectedName !== undefined && name !== expectedName) {
    problems.add(tree.at, 'name_mismatch', `The file of the playbook "${name}" must be called ${name}.yaml.`);
  }
  return name;
}

function readText(fields: Fields, problems: Problems, shape: { key: string; maxLength: number }): string {
  const tree = fields.get(shape.key)?.value;
  const text = readString(tree, problems, shape.key);
  if (text === undefined || tree === undefined) return '';
  if (text.trim() === '') problems.add(tree.at, 'invalid_value', `The ${shape.key} must not be empty.`);
  if (text.length > shape.maxLength) {
    problems.add(tree.at, 'invalid_value', `The ${shape.key} must not be longer than ${shape.maxLength} characters.`);
  }
  const hidden = findHiddenCharacter(shape.key === 'description' ? text.replaceAll('\n', ' ') : text);
  if (hidden !== undefined) {
    problems.add(tree.at, 'invalid_text', `The ${shape.key} holds the control or invisible character ${hidden}.`);
  }
  return text;
}

function readTimeouts(fields: Fields, problems: Problems): { timeoutMs: number; maxTimeoutMs: number } {
  const bounds = { minMs: MIN_TIMEOUT_MS, maxMs: MAX_TIMEOUT_MS };
  const tree = fields.get('timeout')?.value;
  const timeoutMs = readDurationMs(tree, problems, { what: 'timeout', ...bounds }) ?? MIN_TIMEOUT_MS;
  const maxTree = fields.get('max_timeout')?.value;
  const maxTimeoutMs = readDurationMs(maxTree, problems, { what: 'max_timeout', ...bounds }) ?? timeoutMs;
  if (timeoutMs > maxTimeoutMs) {
    problems.add(tree?.at ?? 0, 'invalid_duration', 'timeout must not be longer than max_timeout.');
  }
  return { timeoutMs, maxTimeoutMs };
}

function checkUse(
  fields: Fields,
  input: { problems: Problems; params: ReadonlyMap<string, unknown>; used: ReadonlySet<string> },
): void {
  const tree = fields.get('params')?.value;
  if (tree?.kind !== 'map') return;
  for (const entry of tree.entries) {
    if (input.used.has(entry.key)) continue;
    const message = `The parameter ${entry.key} is used nowhere; put "\${${entry.key}}" into a step or leave it out.`;
    input.problems.add(entry.keyAt, 'unused_param', message);
  }
}
