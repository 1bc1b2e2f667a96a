import { suggestNearest } from '../domain/nearest-word.ts';
import { capitalize, isMap, readDurationMs, readFields, readList, readString } from './fields.ts';
import type { Fields } from './fields.ts';
import { MAX_TIMEOUT_MS, MIN_WAIT_EVERY_MS } from './limits.ts';
import { checkSlot, readArgv } from './parse-argv.ts';
import type { StepContext } from './parse-argv.ts';
import { BUILT_IN_STEPS } from './playbook.ts';
import type { Step, Wait } from './playbook.ts';
import type { Problems } from './problems.ts';
import { parseArgument } from './slots.ts';
import type { Tree } from './yaml-tree.ts';

export const STEP_KEYS = ['run', 'uses', 'with', 'wait'] as const;

export function readSteps(
  tree: Tree | undefined,
  context: StepContext,
  section: 'steps' | 'verify' | 'rollback',
): Step[] {
  if (section === 'steps' && tree?.kind === 'list' && tree.items.length === 0) {
    context.problems.add(tree.at, 'missing_key', 'The playbook needs at least one step.');
  }
  return readList(tree, context.problems, section).flatMap((item, index) => {
    const step = readStep(item, context, { section, what: `step ${index + 1} of ${section}` });
    return step === undefined ? [] : [step];
  });
}

function readStep(tree: Tree, context: StepContext, place: { section: string; what: string }): Step | undefined {
  const { problems } = context;
  const fields = readFields(tree, problems, { what: place.what, known: STEP_KEYS });
  if (fields === undefined) return undefined;
  const run = fields.get('run');
  const uses = fields.get('uses');
  if ((run === undefined) === (uses === undefined)) {
    problems.add(tree.at, 'invalid_step', `${capitalize(place.what)} needs either "run" or "uses".`);
    return undefined;
  }
  const wait = readWait(fields, problems, place);
  const extra = wait === undefined ? {} : { wait };
  if (uses !== undefined) {
    const builtIn = readUses(fields, context, place.what);
    return builtIn === undefined ? undefined : { kind: 'uses', ...builtIn, ...extra };
  }
  const needless = fields.get('with');
  if (needless !== undefined) problems.add(needless.keyAt, 'invalid_step', '"with" belongs to "uses", not to "run".');
  return { kind: 'run', argv: readArgv(run?.value, context, place.what), ...extra };
}

function readUses(
  fields: Fields,
  context: StepContext,
  what: string,
): { uses: string; with: Record<string, string> } | undefined {
  const { problems } = context;
  const tree = fields.get('uses')?.value;
  const uses = readString(tree, problems, `uses of ${what}`);
  if (uses === undefined || tree === undefined) return undefined;
  if (!Object.hasOwn(BUILT_IN_STEPS, uses)) {
    const known = Object.keys(BUILT_IN_STEPS);
    const hint = suggestNearest(uses, known) || ` Known: ${known.join(', ')}.`;
    problems.add(tree.at, 'unknown_builtin', `"${uses}" is no built-in step.${hint}`);
    return undefined;
  }
  const keys = BUILT_IN_STEPS[uses] ?? [];
  const withTree = fields.get('with')?.value;
  if (withTree === undefined) {
    problems.add(tree.at, 'missing_key', `${uses} needs "with" and in it: ${keys.join(', ')}.`);
    return undefined;
  }
  if (!isMap(withTree, problems, `with of ${what}`)) return undefined;
  const given = readFields(withTree, problems, { what: `with of ${what}`, known: keys, required: keys });
  const pairs = [...(given ?? [])].map(([key, entry]) => [key, readPathSlot(entry.value, context, key)] as const);
  return { uses, with: Object.fromEntries(pairs) };
}

/** A built-in step is confined by the directories of a path parameter, so it takes nothing but its slot. */
function readPathSlot(tree: Tree, context: StepContext, key: string): string {
  const text = readString(tree, context.problems, key);
  if (text === undefined) return '';
  const param = checkSlot({ text, at: tree.at }, context);
  const spec = param === undefined ? undefined : context.params.get(param);
  const isSlot = parseArgument(text)?.kind === 'slot';
  if ((isSlot && spec !== undefined && spec.type !== 'path') || !text.startsWith('${')) {
    const message = `"${key}" must be the slot of a path parameter, such as "\${path}": it says which directories are open.`;
    context.problems.add(tree.at, 'invalid_slot', message);
  }
  return text;
}

function readWait(fields: Fields, problems: Problems, place: { section: string; what: string }): Wait | undefined {
  const entry = fields.get('wait');
  if (entry === undefined) return undefined;
  if (place.section !== 'verify') {
    problems.add(entry.keyAt, 'invalid_step', '"wait" belongs to a step of verify only.');
    return undefined;
  }
  const what = `wait of ${place.what}`;
  const wait = readFields(entry.value, problems, { what, known: ['for', 'every'], required: ['for', 'every'] });
  const bounds = { minMs: MIN_WAIT_EVERY_MS, maxMs: MAX_TIMEOUT_MS };
  const forMs = readDurationMs(wait?.get('for')?.value, problems, { what: `"for" in ${what}`, ...bounds });
  const everyMs = readDurationMs(wait?.get('every')?.value, problems, { what: `"every" in ${what}`, ...bounds });
  if (forMs === undefined || everyMs === undefined) return undefined;
  if (everyMs > forMs) problems.add(entry.value.at, 'invalid_duration', `"every" in ${what} is longer than "for".`);
  return { forMs, everyMs };
}
