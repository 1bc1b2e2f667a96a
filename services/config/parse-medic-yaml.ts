import { parseDurationMs } from '../../domain/duration.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { ApprovalRule } from '../../domain/policy.ts';
import { BUILT_IN_RULES } from '../../domain/policy.ts';
import type { Principal } from '../../domain/principal.ts';
import { readDurationMs, readFields, readInteger, readTexts } from '../../playbook/fields.ts';
import type { Fields } from '../../playbook/fields.ts';
import type { PlaybookProblem } from '../../playbook/playbook.ts';
import type { Problems } from '../../playbook/problems.ts';
import { readYaml } from '../../playbook/yaml-tree.ts';
import type { Tree } from '../../playbook/yaml-tree.ts';
import { readPrincipals } from './parse-principals.ts';
import { readRules } from './parse-rules.ts';

/** One mistake in one file of the configuration; `line` and `column` count from 1. */
export type ConfigProblem = PlaybookProblem;

/** What `medic.yaml` says. */
export interface MedicYaml {
  principals: ReadonlyMap<string, Principal>;
  groups: ReadonlyMap<string, readonly string[]>;
  rules: readonly ApprovalRule[];
  approvalTimeoutMs: number;
  startWithinMs: number;
}

const KEYS = ['version', 'approval_timeout', 'start_within', 'principals', 'groups', 'rules'] as const;
const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 30 * 86_400_000; // what nobody decided for a month is forgotten, not pending

/** Where there is no medic.yaml: nobody may do anything, and the built-in rules hold. */
export const EMPTY_MEDIC_YAML: MedicYaml = {
  principals: new Map(),
  groups: new Map(),
  rules: BUILT_IN_RULES,
  approvalTimeoutMs: parseDurationMs('30m') ?? 0,
  startWithinMs: parseDurationMs('1h') ?? 0,
};

/** Reads `medic.yaml` and tells every mistake at once, in the order of the text. */
export function parseMedicYaml(input: { file: string; text: string }): {
  value?: MedicYaml;
  problems: ConfigProblem[];
} {
  const { tree, problems } = readYaml(input);
  if (tree === undefined) return { problems: problems.list() };
  const fields = readFields(tree, problems, { what: 'medic.yaml', known: KEYS, required: ['version'] });
  if (fields === undefined) return { problems: problems.list() };
  const value = readAll(fields, problems);
  return problems.isEmpty ? { value, problems: [] } : { problems: problems.list() };
}

function readAll(fields: Fields, problems: Problems): MedicYaml {
  const version = fields.get('version')?.value;
  const found = readInteger(version, problems, 'version');
  if (version !== undefined && found !== undefined && found !== 1) {
    problems.add(version.at, 'unknown_version', `version must be 1, not ${found}.`);
  }
  const people = readPrincipals(fields.get('principals')?.value, problems);
  const groups = readGroups(fields.get('groups')?.value, { problems, names: [...people.keys()] });
  const rules = fields.get('rules')?.value;
  return {
    principals: joinGroups(people, groups),
    groups,
    rules: rules === undefined ? BUILT_IN_RULES : readRules(rules, { problems, groups: [...groups.keys()] }),
    approvalTimeoutMs: readWait(fields, 'approval_timeout', problems) ?? EMPTY_MEDIC_YAML.approvalTimeoutMs,
    startWithinMs: readWait(fields, 'start_within', problems) ?? EMPTY_MEDIC_YAML.startWithinMs,
  };
}

function readWait(fields: Fields, key: string, problems: Problems): number | undefined {
  return readDurationMs(fields.get(key)?.value, problems, { what: key, minMs: MIN_WAIT_MS, maxMs: MAX_WAIT_MS });
}

function readGroups(
  tree: Tree | undefined,
  context: { problems: Problems; names: readonly string[] },
): Map<string, readonly string[]> {
  const { problems, names } = context;
  const groups = new Map<string, readonly string[]>();
  if (tree === undefined) return groups;
  if (tree.kind !== 'map') {
    problems.add(tree.at, 'invalid_type', 'groups must be a map of group names and lists of principals.');
    return groups;
  }
  for (const { key, value } of tree.entries) {
    const members = readTexts(value, problems, `the group ${key}`);
    for (const { text, at } of members) {
      if (names.includes(text)) continue;
      const message = `The group ${key} names "${text}", who is no principal.${suggestNearest(text, names)}`;
      problems.add(at, 'unknown_principal', message);
    }
    groups.set(key, [...new Set(members.map(({ text }) => text))]);
  }
  return groups;
}

function joinGroups(
  people: ReadonlyMap<string, Omit<Principal, 'groups'>>,
  groups: ReadonlyMap<string, readonly string[]>,
): Map<string, Principal> {
  const joined = new Map<string, Principal>();
  for (const [name, person] of people) {
    const mine = [...groups].filter(([, members]) => members.includes(name)).map(([group]) => group);
    joined.set(name, { ...person, groups: mine });
  }
  return joined;
}
