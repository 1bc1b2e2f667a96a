import { suggestNearest } from '../../domain/nearest-word.ts';
import type { ApprovalRule, RiskLevel, RuleCondition } from '../../domain/policy.ts';
import { readBoolean, readFields, readInteger, readList, readTexts } from '../../playbook/fields.ts';
import { RISKS } from '../../playbook/playbook.ts';
import type { Problems } from '../../playbook/problems.ts';
import type { Tree } from '../../playbook/yaml-tree.ts';

const RULE_KEYS = ['when', 'approvals', 'from'] as const;
const CONDITION_KEYS = ['paused', 'risk', 'playbook', 'server', 'tag'] as const;
const MAX_APPROVALS = 10; // more is a slip of the keyboard, and nothing would ever run

interface RuleContext {
  problems: Problems;
  /** The names of all groups. */
  groups: readonly string[];
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
    if (fromTree !== undefined) {
      problems.add(fromTree.at, 'useless_from', `${what} needs nobody, so "from" says nothing; leave it out.`);
    }
  }
  return { when, approvals: approvals ?? 1, from };
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
    if (groups.includes(text)) continue;
    problems.add(
      at,
      'unknown_group',
      `${capitalize(what)} names "${text}", which is no group.${suggestNearest(text, groups)}`,
    );
  }
  return texts.map(({ text }) => text);
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
