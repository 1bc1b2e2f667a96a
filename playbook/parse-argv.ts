import { suggestNearest } from '../domain/nearest-word.ts';
import { readTexts } from './fields.ts';
import type { ParamSpec } from './playbook.ts';
import type { Problems } from './problems.ts';
import { findProgramFault } from './program-rules.ts';
import { findHiddenCharacter, findPathFault } from './safe-text.ts';
import { parseArgument } from './slots.ts';
import type { Tree } from './yaml-tree.ts';

export interface StepContext {
  problems: Problems;
  params: ReadonlyMap<string, ParamSpec | undefined>;
  /** Filled with each parameter that a slot names. */
  used: Set<string>;
}

/** The program and its arguments, as a template; what is wrong with one is told at its place. */
export function readArgv(tree: Tree | undefined, context: StepContext, what: string): string[] {
  const { problems } = context;
  if (tree?.kind === 'scalar') {
    const message = `"run" of ${what} must be a list: the program, then each argument. There is no shell to split a line.`;
    problems.add(tree.at, 'invalid_type', message);
    noteMentioned(String(tree.value), context.used);
    return [];
  }
  const items = readTexts(tree, problems, `"run" of ${what}`);
  if (tree?.kind === 'list' && tree.items.length === 0) {
    problems.add(tree.at, 'invalid_step', `"run" of ${what} must name a program.`);
  }
  for (const [index, item] of items.entries()) {
    const hidden = findHiddenCharacter(item.text);
    if (hidden !== undefined) {
      problems.add(item.at, 'invalid_text', `This argument holds the control or invisible character ${hidden}.`);
    }
    if (index > 0) checkSlot(item, context);
  }
  const program = items[0];
  if (program !== undefined) checkProgram(program, { ...context, argv: items.map((item) => item.text) });
  return items.map((item) => item.text);
}

function checkProgram(program: { text: string; at: number }, input: StepContext & { argv: string[] }): void {
  if (program.text.includes('${')) {
    input.problems.add(program.at, 'invalid_program', 'The program must not come from a parameter; write it out.');
    noteMentioned(program.text, input.used);
    return;
  }
  const fault = findPathFault(program.text);
  if (fault !== undefined || program.text === '/') {
    const message = `The program "${program.text}" ${fault ?? 'must be a file'}, such as /usr/bin/systemctl.`;
    input.problems.add(program.at, 'invalid_program', message);
    return;
  }
  const programFault = findProgramFault(input.argv);
  if (programFault !== undefined) input.problems.add(program.at, 'forbidden_program', programFault);
}

/** The parameter that a slot names, or undefined where there is no slot or a wrong one, which is told. */
export function checkSlot(item: { text: string; at: number }, context: StepContext): string | undefined {
  const argument = parseArgument(item.text);
  if (argument === undefined) {
    const message = `A slot fills a whole argument or the part after "--name="; "${item.text}" is neither.`;
    context.problems.add(item.at, 'invalid_slot', message);
    noteMentioned(item.text, context.used);
    return undefined;
  }
  if (argument.kind === 'text') return undefined;
  context.used.add(argument.param);
  if (context.params.has(argument.param)) return argument.param;
  const hint = suggestNearest(argument.param, context.params.keys());
  context.problems.add(item.at, 'unknown_slot', `"${argument.param}" is no parameter of this playbook.${hint}`);
  return undefined;
}

/** A parameter in a slot of a wrong form is not told as unused on top of it. */
function noteMentioned(text: string, used: Set<string>): void {
  for (const mention of text.matchAll(/\$\{([^}]*)\}/g)) used.add(mention[1] ?? '');
}
