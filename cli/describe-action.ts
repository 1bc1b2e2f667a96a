import type { Hold } from '../domain/limits.ts';
import { describeHold } from '../domain/limits.ts';
import { describeExit, describeOutcome } from '../domain/outcome-words.ts';
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
    ['waits', describeWait(action)],
    ['expires', action['status'] === 'pending' ? textOf(action['expires_at']) : null],
    ['rejected', tell(action['rejected_by'], action['rejected_at'], action['rejection_reason'])],
    ['cancelled', tell(action['cancelled_by'], null, action['cancel_reason'])],
    ...listAttempts(action),
    ['handed out', textOf(action['handed_out_at'])],
    ['started', textOf(action['executed_at'])],
    ['unknown', describeUnknown(action)],
    ['ended', textOf(action['completed_at'])],
    ['result', describeExit({ exitCode, signal: textOf(action['signal']) })],
    ['replay of', textOf(action['replay_of'])],
    ['dead letter', describeDeadLetter(action)],
    ['late', action['has_late_result'] === true ? 'a result came after the end; it changed nothing' : null],
  ];
}

function describeDeadLetter(action: Json): string | null {
  if (action['dead_letter'] !== 'dismissed') return textOf(action['dead_letter']);
  return `dismissed ${tell(action['dismissed_by'], null, action['dismiss_reason']) ?? ''}`;
}

/** Each one that was handed out, and the next; nothing of an action that is tried once. */
function listAttempts(action: Json): [string, string | null][] {
  const attempts = (action['attempts'] as Json[] | undefined) ?? [];
  const ofAll = `of ${String(action['max_attempts'])}`;
  const told = attempts.map((one): [string, string | null] => {
    const exitCode = typeof one['exit_code'] === 'number' ? one['exit_code'] : null;
    const end = describeOutcome({
      status: '',
      exitCode,
      signal: textOf(one['signal']),
      failureCode: textOf(one['failure_code']),
    });
    const facts = [`${String(one['attempt'])} ${ofAll}`, textOf(one['ended_at']) === null ? 'has not ended' : end];
    return ['attempt', [...facts, textOf(one['ended_at'])].filter((fact) => fact !== null).join(', ')];
  });
  const next = textOf(action['next_attempt_at']);
  return next === null ? told : [...told, ['next', `attempt ${String(action['attempt'])} ${ofAll}, from ${next}`]];
}

/** Of what runs or may run, and of what ended without a word. */
function describeUnknown(action: Json): string | null {
  const since = textOf(action['unknown_since']);
  if (since !== null) return `since ${since}: nothing is heard of its agent`;
  return action['may_have_run'] === true ? 'how it ended: it was handed out, and no result came that counts' : null;
}

function describeWait(action: Json): string | null {
  const behind = action['queued_behind'] as { id: string; playbook: string; ahead: number } | null | undefined;
  const hold = action['held_by'] as Hold | null | undefined;
  if (behind && hold?.code !== 'held_back')
    return `behind ${behind.playbook} (${behind.id.slice(0, 8)}), ${behind.ahead} in all`;
  return hold ? describeHold(hold) : null;
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
