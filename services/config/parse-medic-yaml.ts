import { parseDurationMs } from '../../domain/duration.ts';
import type { Limits } from '../../domain/limits.ts';
import { DEFAULT_LIMITS } from '../../domain/limits.ts';
import type { ApprovalRule } from '../../domain/policy.ts';
import { BUILT_IN_RULES } from '../../domain/policy.ts';
import type { Group, Principal } from '../../domain/principal.ts';
import { readDurationMs, readFields, readInteger } from '../../playbook/fields.ts';
import type { Fields } from '../../playbook/fields.ts';
import type { PlaybookProblem } from '../../playbook/playbook.ts';
import type { Problems } from '../../playbook/problems.ts';
import { readYaml } from '../../playbook/yaml-tree.ts';
import { joinGroups, readGroups } from './parse-groups.ts';
import { readLimits } from './parse-limits.ts';
import { readPrincipals } from './parse-principals.ts';
import { readRules } from './parse-rules.ts';

/** One mistake in one file of the configuration; `line` and `column` count from 1. */
export type ConfigProblem = PlaybookProblem;

/** What `medic.yaml` says. */
export interface MedicYaml {
  principals: ReadonlyMap<string, Principal>;
  groups: ReadonlyMap<string, Group>;
  rules: readonly ApprovalRule[];
  approvalTimeoutMs: number;
  startWithinMs: number;
  limits: Limits;
}

const KEYS = ['version', 'approval_timeout', 'start_within', 'principals', 'groups', 'rules', 'limits'] as const;
const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 30 * 86_400_000; // what nobody decided for a month is forgotten, not pending

/** Where there is no medic.yaml: nobody may do anything, and the built-in rules hold. */
export const EMPTY_MEDIC_YAML: MedicYaml = {
  principals: new Map(),
  groups: new Map(),
  rules: BUILT_IN_RULES,
  approvalTimeoutMs: parseDurationMs('30m') ?? 0,
  startWithinMs: parseDurationMs('1h') ?? 0,
  limits: DEFAULT_LIMITS,
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
  const approvalTimeoutMs = readWait(fields, 'approval_timeout', problems) ?? EMPTY_MEDIC_YAML.approvalTimeoutMs;
  const context = { problems, groups, approvalTimeoutMs };
  return {
    principals: joinGroups(people, groups),
    groups,
    rules: rules === undefined ? BUILT_IN_RULES : readRules(rules, context),
    approvalTimeoutMs,
    startWithinMs: readWait(fields, 'start_within', problems) ?? EMPTY_MEDIC_YAML.startWithinMs,
    limits: readLimits(fields.get('limits')?.value, problems),
  };
}

function readWait(fields: Fields, key: string, problems: Problems): number | undefined {
  return readDurationMs(fields.get(key)?.value, problems, { what: key, minMs: MIN_WAIT_MS, maxMs: MAX_WAIT_MS });
}
