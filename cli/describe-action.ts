import { describeExit } from '../domain/outcome-words.ts';
import type { Json } from './api-client.ts';

/** One line: which action, and where it stands. */
export function describeAction(action: Json): string {
  const facts = [action['id'], action['playbook'], action['server'], action['status'], action['failure_code']];
  return facts.filter((fact) => fact !== null && fact !== undefined).join('  ');
}

/** What a person needs to decide, and to see how it ended; then the output, as far as it was kept. */
export function describeActionFully(action: Json): string {
  const facts = listFacts(action).filter(([, text]) => text !== null);
  const lines = facts.map(([name, text]) => `${name.padEnd(12)} ${text ?? ''}`);
  return [describeAction(action), ...lines, ...listStreams(action)].join('\n');
}

function listFacts(action: Json): [string, string | null][] {
  const argv = (action['argv_preview'] as string[][] | undefined) ?? [];
  const approvals = (action['approvals'] as Json[] | undefined) ?? [];
  const exitCode = typeof action['exit_code'] === 'number' ? action['exit_code'] : null;
  return [
    ...argv.map((words): [string, string] => ['runs', words.map(quoteWord).join(' ')]),
    ['risk', textOf(action['risk'])],
    ['dry run', action['dry_run'] === true ? 'yes: nothing is started' : null],
    ['requested', tell(action['requested_by'], action['requested_at'], action['reason'])],
    ['approval', action['status'] === 'pending' ? textOf(action['approval_rule']) : null],
    ...approvals.map(({ by, at, reason }): [string, string | null] => ['approved', tell(by, at, reason)]),
    ['expires', action['status'] === 'pending' ? textOf(action['expires_at']) : null],
    ['rejected', tell(action['rejected_by'], action['rejected_at'], action['rejection_reason'])],
    ['cancelled', tell(action['cancelled_by'], null, action['cancel_reason'])],
    ['started', textOf(action['executed_at'])],
    ['ended', textOf(action['completed_at'])],
    ['result', describeExit({ exitCode, signal: textOf(action['signal']) })],
    ['late', action['has_late_result'] === true ? 'a result came after the end; it changed nothing' : null],
  ];
}

function listStreams(action: Json): string[] {
  return ['stdout', 'stderr'].flatMap((name) => {
    const text = textOf(action[name]) ?? '';
    return text === '' ? [] : ['', `--- ${name}`, text.replace(/\r?\n$/, '')];
  });
}

function tell(by: unknown, at: unknown, why: unknown): string | null {
  if (textOf(by) === null) return null;
  const facts = [`by ${String(by)}`, textOf(at), textOf(why) === null ? null : `because: ${String(why)}`];
  return facts.filter((fact) => fact !== null).join(', ');
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** So that a person sees where one argument ends. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word);
}
