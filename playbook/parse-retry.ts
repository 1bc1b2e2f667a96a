import { readDurationMs, readFields, readInteger } from './fields.ts';
import type { Fields } from './fields.ts';
import { DEFAULT_BACKOFF_MS, DEFAULT_MAX_BACKOFF_MS, MAX_ATTEMPTS, MAX_BACKOFF_MS, MIN_ATTEMPTS } from './limits.ts';
import { MIN_BACKOFF_MS } from './limits.ts';
import type { Retry } from './playbook.ts';
import type { Problems } from './problems.ts';

export const RETRY_KEYS = ['attempts', 'backoff', 'max_backoff'] as const;

/** Null where the playbook is tried once. */
export function readRetry(playbook: Fields, problems: Problems): Retry | null {
  const tree = playbook.get('retry')?.value;
  if (tree === undefined) return null;
  const fields = readFields(tree, problems, { what: 'retry', known: RETRY_KEYS, required: ['attempts'] });
  const attempts = readAttempts(fields, problems);
  const bounds = { minMs: MIN_BACKOFF_MS, maxMs: MAX_BACKOFF_MS };
  const backoffTree = fields?.get('backoff')?.value;
  const backoffMs = readDurationMs(backoffTree, problems, { what: 'backoff', ...bounds }) ?? DEFAULT_BACKOFF_MS;
  const longestTree = fields?.get('max_backoff')?.value;
  const longestMs = readDurationMs(longestTree, problems, { what: 'max_backoff', ...bounds });
  if (longestTree !== undefined && longestMs !== undefined && longestMs < backoffMs) {
    problems.add(longestTree.at, 'invalid_duration', 'max_backoff must not be shorter than backoff.');
  }
  return { attempts, backoffMs, maxBackoffMs: longestMs ?? Math.max(backoffMs, DEFAULT_MAX_BACKOFF_MS) };
}

function readAttempts(fields: Fields | undefined, problems: Problems): number {
  const tree = fields?.get('attempts')?.value;
  const attempts = readInteger(tree, problems, 'attempts');
  if (attempts === undefined || tree === undefined) return MIN_ATTEMPTS;
  const isFine = Number.isInteger(attempts) && attempts >= MIN_ATTEMPTS && attempts <= MAX_ATTEMPTS;
  if (isFine) return attempts;
  const message = `Attempts must be a whole number from ${MIN_ATTEMPTS} to ${MAX_ATTEMPTS}, the first one included.`;
  problems.add(tree.at, 'invalid_value', message);
  return MIN_ATTEMPTS;
}
