import { setTimeout as wait } from 'node:timers/promises';
import type { MedicError } from '../../../domain/errors.ts';
import { cut } from '../../blocks/text.ts';

const PATIENCE_MS = 1_800; // Slack waits three seconds for the answer to a form
const MAX_ERROR = 150; // two lines below a field

/** What came of it, where that is known within Slack's patience; null where it is not yet. */
export function inTime<T>(working: Promise<T>): Promise<T | null> {
  return Promise.race([working, wait(PATIENCE_MS, null, { ref: false })]);
}

/** What is wrong with fields, by the block of each; only blocks that stand in the form, as Slack takes no others. */
export function errorsByBlock(
  error: MedicError,
  form: { blocks: readonly string[]; blockOf?: (field: string) => string },
): Record<string, string> {
  const { blocks, blockOf = (field) => field } = form;
  const told = error.fields.map(({ path, message }) => [blockOf(path), cut(message, MAX_ERROR)] as const);
  return Object.fromEntries(told.filter(([block]) => blocks.includes(block)));
}
