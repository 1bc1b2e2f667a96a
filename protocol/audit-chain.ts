import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { hasRepeatedName } from './repeated-name.ts';
import { isRecord } from './shape.ts';

/** The `prev` of the first event. */
export const CHAIN_START = `sha256:${'0'.repeat(64)}`;

/** A place in the chain: after `count` events, the last of which has the hash `head`. */
export interface ChainCheckpoint {
  count: number;
  head: string;
}

export type ChainReading =
  | { isIntact: true; count: number; head: string }
  | { isIntact: false; code: ChainFault; line: number; sentence: string };

export type ChainFault =
  'not_json' | 'ambiguous' | 'gap' | 'broken_link' | 'changed' | 'shorter_than_checkpoint' | 'differs_from_checkpoint';

/** RFC 8785. Throws TypeError for what is no JSON (functions, NaN, cycles). */
export function toCanonicalJson(value: unknown): string {
  const json = canonicalize(value);
  if (json === undefined) throw new TypeError('Only JSON values have a canonical form.');
  return json;
}

/** The digest of an audit event: over the RFC 8785 form of everything but `hash`. */
export function hashEvent(event: Readonly<Record<string, unknown>>): string {
  const { hash: _hash, ...rest } = event;
  return `sha256:${createHash('sha256').update(toCanonicalJson(rest), 'utf8').digest('hex')}`;
}

/**
 * Reads a log and stops at the first fault; `line` counts from 1. Empty lines are skipped. It begins at the first event,
 * or after the place `from`, which must be known to be good. The log must agree with each checkpoint (their signatures
 * are checked elsewhere): hold at least that many events, and that very head at its place. Never rejects for what a line
 * holds.
 */
export async function verifyChain(
  lines: Iterable<string> | AsyncIterable<string>,
  options: { checkpoints?: readonly ChainCheckpoint[]; from?: ChainCheckpoint } = {},
): Promise<ChainReading> {
  const { checkpoints = [], from = { count: 0, head: CHAIN_START } } = options;
  const wanted = Map.groupBy(checkpoints, ({ count }) => count);
  let { head, count } = from;
  let line = 0;
  for await (const textOfLine of lines) {
    line += 1;
    if (textOfLine.trim() === '') continue;
    const step = checkEvent(textOfLine, { seq: count + 1, prev: head });
    if ('code' in step) return { isIntact: false, line, ...step };
    count += 1;
    head = step.hash;
    if (wanted.get(count)?.some((checkpoint) => checkpoint.head !== head) === true) {
      const sentence = `Event ${String(count)} is not the one the checkpoint was made over: the log was rewritten.`;
      return { isIntact: false, line, code: 'differs_from_checkpoint', sentence };
    }
  }
  const most = Math.max(0, ...wanted.keys());
  if (most > count) {
    const sentence = `The log ends after ${String(count)} events, but a checkpoint saw ${String(most)}.`;
    return { isIntact: false, line: line + 1, code: 'shorter_than_checkpoint', sentence };
  }
  return { isIntact: true, count, head };
}

type Step = { hash: string } | { code: ChainFault; sentence: string };

function checkEvent(text: string, expected: { seq: number; prev: string }): Step {
  const event = parseObject(text);
  if (event === undefined) return { code: 'not_json', sentence: 'This line is no JSON object.' };
  if (event['seq'] !== expected.seq) {
    const found = JSON.stringify(event['seq']);
    return {
      code: 'gap',
      sentence: `Here must stand event ${String(expected.seq)}, but seq is ${found ?? 'missing'}.`,
    };
  }
  if (event['prev'] !== expected.prev) {
    return {
      code: 'broken_link',
      sentence: `prev of event ${String(expected.seq)} is not the hash of the event before.`,
    };
  }
  const hash = hashOrNull(event);
  if (hash === null || event['hash'] !== hash) {
    return {
      code: 'changed',
      sentence: `Event ${String(expected.seq)} was changed: its content no longer has its hash.`,
    };
  }
  if (hasRepeatedName(text, event)) {
    return {
      code: 'ambiguous',
      sentence: `A name stands twice in event ${String(expected.seq)}: readers differ on it.`,
    };
  }
  return { hash };
}

/** Null for what nobody could have hashed: a number beyond all bounds, half a character, nested too deep. */
function hashOrNull(event: Readonly<Record<string, unknown>>): string | null {
  try {
    return hashEvent(event);
  } catch {
    return null;
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
