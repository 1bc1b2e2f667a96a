import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { isRecord } from './shape.ts';

/** The `prev` of the first event. */
export const CHAIN_START = `sha256:${'0'.repeat(64)}`;

export interface ChainCheckpoint {
  count: number;
  head: string;
}

export type ChainReading =
  | { isIntact: true; count: number; head: string }
  | { isIntact: false; code: ChainFault; line: number; sentence: string };

export type ChainFault =
  'not_json' | 'gap' | 'broken_link' | 'changed' | 'shorter_than_checkpoint' | 'differs_from_checkpoint';

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
 * Reads a whole log from its first event and stops at the first fault. Empty lines are skipped. With a checkpoint
 * (its signature checked elsewhere) the log must hold at least that many events and that very head at its place.
 */
export async function verifyChain(
  lines: Iterable<string> | AsyncIterable<string>,
  { checkpoint }: { checkpoint?: ChainCheckpoint } = {},
): Promise<ChainReading> {
  let head = CHAIN_START;
  let count = 0;
  let line = 0;
  for await (const textOfLine of lines) {
    line += 1;
    if (textOfLine.trim() === '') continue;
    const step = checkEvent(textOfLine, { seq: count + 1, prev: head });
    if ('code' in step) return { isIntact: false, line, ...step };
    count += 1;
    head = step.hash;
    if (checkpoint?.count === count && checkpoint.head !== head) {
      const sentence = `Event ${String(count)} is not the one the checkpoint was made over: the log was rewritten.`;
      return { isIntact: false, line, code: 'differs_from_checkpoint', sentence };
    }
  }
  if (checkpoint !== undefined && checkpoint.count > count) {
    const sentence = `The log ends after ${String(count)} events, but the checkpoint saw ${String(checkpoint.count)}.`;
    return { isIntact: false, line, code: 'shorter_than_checkpoint', sentence };
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
  const hash = hashEvent(event);
  if (event['hash'] !== hash) {
    return {
      code: 'changed',
      sentence: `Event ${String(expected.seq)} was changed: its content no longer has its hash.`,
    };
  }
  return { hash };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
