import { formatDuration } from '../../domain/duration.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { EscalationStep } from '../../domain/policy.ts';
import { capitalize, readDurationMs, readFields, readList, readString, readWord } from '../../playbook/fields.ts';
import type { Fields } from '../../playbook/fields.ts';
import type { Tree } from '../../playbook/yaml-tree.ts';
import type { RuleContext } from './parse-rules.ts';

const WAYS = ['remind', 'tell', 'group'] as const;
const SHORTEST_STEP_MS = 1000; // the clock of the ladder counts in seconds
const LATEST_STEP_MS = 30 * 86_400_000; // the longest approval_timeout

/** The list under `escalate`: each step later than the one before, and all before the window closes. */
export function readEscalation(tree: Tree | undefined, context: RuleContext, what: string): EscalationStep[] {
  const steps: EscalationStep[] = [];
  for (const [index, item] of readList(tree, context.problems, `escalate of ${what}`).entries()) {
    const step = readStep(item, context, `step ${index + 1} of ${what}`);
    if (step === undefined) continue;
    const last = steps.at(-1);
    if (last !== undefined && step.afterS <= last.afterS) {
      const message = `Step ${index + 1} of ${what} must come after the one before it (${formatDuration(last.afterS * 1000)}).`;
      context.problems.add(item.at, 'steps_out_of_order', message);
    }
    steps.push(step);
  }
  return steps;
}

function readStep(tree: Tree, context: RuleContext, what: string): EscalationStep | undefined {
  const { problems, approvalTimeoutMs } = context;
  const fields = readFields(tree, problems, { what, known: ['after', ...WAYS], required: ['after'] });
  if (fields === undefined) return undefined;
  const after = fields.get('after')?.value;
  const bounds = { what: `after of ${what}`, minMs: SHORTEST_STEP_MS, maxMs: LATEST_STEP_MS };
  const afterMs = readDurationMs(after, problems, bounds);
  if (after !== undefined && afterMs !== undefined && afterMs >= approvalTimeoutMs) {
    const message = `${capitalize(what)} comes after ${formatDuration(afterMs)}, when approval_timeout (${formatDuration(approvalTimeoutMs)}) has ended the wait.`;
    problems.add(after.at, 'step_too_late', message);
  }
  const way = readWay(tree, fields, { context, what });
  return afterMs === undefined || way === undefined ? undefined : { afterS: Math.ceil(afterMs / 1000), ...way };
}

type Way = { kind: 'thread' } | { kind: 'approvers' } | { kind: 'group'; group: string };

function readWay(tree: Tree, fields: Fields, input: { context: RuleContext; what: string }): Way | undefined {
  const { context, what } = input;
  const { problems, groups } = context;
  const given = WAYS.filter((name) => fields.has(name));
  const [way] = given;
  if (way === undefined || given.length > 1) {
    const message = `${capitalize(what)} must say one of "remind: thread", "tell: approvers" or "group: NAME".`;
    problems.add(tree.at, 'invalid_step', message);
    return undefined;
  }
  const value = fields.get(way)?.value;
  if (way === 'remind') return readOnly(value, context, { what: `remind of ${what}`, kind: 'thread' });
  if (way === 'tell') return readOnly(value, context, { what: `tell of ${what}`, kind: 'approvers' });
  const group = readString(value, problems, `group of ${what}`);
  if (group === undefined || value === undefined) return undefined;
  if (!groups.has(group)) {
    const hint = suggestNearest(group, [...groups.keys()]);
    problems.add(value.at, 'unknown_group', `${capitalize(what)} names "${group}", which is no group.${hint}`);
  }
  return { kind: 'group', group };
}

function readOnly<K extends 'thread' | 'approvers'>(
  tree: Tree | undefined,
  { problems }: RuleContext,
  input: { what: string; kind: K },
): { kind: K } | undefined {
  const word = readWord(tree, problems, { what: input.what, words: [input.kind] });
  return word === undefined ? undefined : { kind: input.kind };
}
