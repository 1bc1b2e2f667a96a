import { suggestNearest } from '../../domain/nearest-word.ts';
import type { ApprovalRule, RiskLevel, RuleCondition } from '../../domain/policy.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import type { Group } from '../../domain/principal.ts';
import type { Fields } from '../../playbook/fields.ts';
import {
  capitalize,
  readBoolean,
  readFields,
  readInteger,
  readList,
  readTexts,
  readWord,
} from '../../playbook/fields.ts';
import { RISKS } from '../../playbook/playbook.ts';
import type { Problems } from '../../playbook/problems.ts';
import type { Tree } from '../../playbook/yaml-tree.ts';
import { readEscalation } from './parse-escalation.ts';

/** What says nothing where nobody has to approve. */
const KEYS_OF_PEOPLE = ['from', 'distinct_groups', 'escalate', 'on_timeout'] as const;
const RULE_KEYS = ['when', 'approvals', 'reason', ...KEYS_OF_PEOPLE] as const;
const CONDITION_KEYS = ['paused', 'risk', 'playbook', 'server', 'tag'] as const;
const MAX_APPROVALS = 10; // more is a slip of the keyboard, and nothing would ever run

export interface RuleContext {
  problems: Problems;
  groups: ReadonlyMap<string, Group>;
  approvalTimeoutMs: number;
}

/** The list under `rules`; an empty one is no mistake: then one person is needed for everything. */
export function readRules(tree: Tree, context: RuleContext): ApprovalRule[] {
  return readList(tree, context.problems, 'rules').flatMap((item, index) => {
    const rule = readRule(item, context, index + 1);
    return rule === undefined ? [] : [rule];
  });
}

function readRule(tree: Tree, context: RuleContext, number: number): ApprovalRule | undefined {
  const { problems } = context;
  const what = `rule ${number}`;
  const fields = readFields(tree, problems, { what, known: RULE_KEYS, required: ['approvals'] });
  if (fields === undefined) return undefined;
  const approvalsTree = fields.get('approvals')?.value;
  const approvals = readInteger(approvalsTree, problems, `approvals of ${what}`);
  if (approvalsTree !== undefined && approvals !== undefined && (approvals < 0 || approvals > MAX_APPROVALS)) {
    const message = `approvals of ${what} must be between 0 and ${MAX_APPROVALS}, not ${approvals}.`;
    problems.add(approvalsTree.at, 'invalid_value', message);
  }
  const when = readCondition(fields.get('when')?.value, problems, what);
  const fromTree = fields.get('from')?.value;
  const from = fromTree === undefined ? null : readFrom(fromTree, context, what);
  if (approvals === 0) {
    refuseUnattended({ tree: approvalsTree ?? tree, when, problems, what });
    refuseUseless(fields, problems, what);
  }
  return { when, approvals: approvals ?? 1, from, ...readTerms(fields, context, { what, approvals, from }) };
}

function refuseUseless(fields: Fields, problems: Problems, what: string): void {
  for (const key of KEYS_OF_PEOPLE) {
    const tree = fields.get(key)?.value;
    if (tree === undefined) continue;
    problems.add(tree.at, 'useless_key', `${what} needs nobody, so "${key}" says nothing; leave it out.`);
  }
}

function readTerms(
  fields: Fields,
  context: RuleContext,
  rule: { what: string; approvals: number | undefined; from: readonly string[] | null },
): Omit<ApprovalRule, 'when' | 'approvals' | 'from'> {
  const { problems } = context;
  const { what } = rule;
  const of = (key: string): Tree | undefined => fields.get(key)?.value;
  const reason = readWord(of('reason'), problems, { what: `reason of ${what}`, words: ['required', 'optional'] });
  const onTimeout = readWord(of('on_timeout'), problems, {
    what: `on_timeout of ${what}`,
    words: ['expired', 'rejected'],
  });
  const distinctTree = of('distinct_groups');
  const distinctGroups = readBoolean(distinctTree, problems, `distinct_groups of ${what}`) ?? false;
  if (distinctTree !== undefined && distinctGroups && (rule.from?.length ?? 0) < (rule.approvals ?? 1)) {
    const message = `${capitalize(what)} wants ${rule.approvals ?? 1} approvals, each of another group, and "from" names ${rule.from?.length ?? 0}.`;
    problems.add(distinctTree.at, 'too_few_groups', message);
  }
  return {
    distinctGroups,
    isReasonRequired: reason === 'required',
    escalate: readEscalation(of('escalate'), context, what),
    onTimeout: onTimeout ?? DEFAULT_TERMS.onTimeout,
  };
}

/** A rule that names paused servers and asks for nobody says what never happens. */
function refuseUnattended(input: { tree: Tree; when: RuleCondition; problems: Problems; what: string }): void {
  if (input.when.paused !== true) return;
  const message = `${input.what} would let a paused server run without a person; set approvals to 1 or more.`;
  input.problems.add(input.tree.at, 'paused_without_person', capitalize(message));
}

function readCondition(tree: Tree | undefined, problems: Problems, what: string): RuleCondition {
  if (tree === undefined) return {};
  const fields = readFields(tree, problems, { what: `"when" of ${what}`, known: CONDITION_KEYS });
  const words = (key: string): readonly string[] | undefined => {
    const value = fields?.get(key)?.value;
    if (value === undefined) return undefined;
    const texts = readTexts(value, problems, `${key} of ${what}`);
    if (value.kind === 'list' && value.items.length === 0) {
      problems.add(value.at, 'empty_list', `${key} of ${what} is empty, so the rule would never match.`);
    }
    return texts.map(({ text }) => text);
  };
  const condition: RuleCondition = {
    paused: readBoolean(fields?.get('paused')?.value, problems, `paused of ${what}`),
    risk: readRisks(fields?.get('risk')?.value, problems, what),
    playbook: words('playbook')?.map((glob) => glob.replaceAll('_', '-')),
    server: words('server'),
    tag: words('tag'),
  };
  return Object.fromEntries(Object.entries(condition).filter(([, value]) => value !== undefined));
}

function readRisks(tree: Tree | undefined, problems: Problems, what: string): RiskLevel[] | undefined {
  if (tree === undefined) return undefined;
  if (tree.kind === 'list' && tree.items.length === 0) {
    problems.add(tree.at, 'empty_list', `risk of ${what} is empty, so the rule would never match.`);
  }
  return readTexts(tree, problems, `risk of ${what}`).flatMap(({ text, at }) => {
    const risk = RISKS.find((candidate) => candidate === text);
    if (risk !== undefined) return [risk];
    const message = `risk of ${what} must be of ${RISKS.join(', ')}, not "${text}".${suggestNearest(text, RISKS)}`;
    problems.add(at, 'invalid_value', message);
    return [];
  });
}

function readFrom(tree: Tree, { problems, groups }: RuleContext, what: string): string[] {
  const texts = readTexts(tree, problems, `from of ${what}`);
  if (tree.kind === 'list' && tree.items.length === 0) {
    problems.add(tree.at, 'empty_list', `from of ${what} is empty, so nobody could ever approve.`);
  }
  for (const { text, at } of texts) {
    if (groups.has(text)) continue;
    const hint = suggestNearest(text, [...groups.keys()]);
    problems.add(at, 'unknown_group', `${capitalize(what)} names "${text}", which is no group.${hint}`);
  }
  return [...new Set(texts.map(({ text }) => text))];
}
