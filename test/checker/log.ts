import { canonicalize, sha256 } from './canonical-json.ts';
import type { Violation } from './evidence.ts';

/** One event of the exported audit log. */
export interface LogLine {
  /** Where it stands, `audit:12`. */
  where: string;
  seq: number;
  atMs: number;
  actor: string;
  event: string;
  subject: { type: string; id: string };
  data: Record<string, unknown>;
  hash: string;
}

const FIRST_PREV = `sha256:${'0'.repeat(64)}`;

/** The events in their order, and where the chain does not hold. A line that is no event is left out. */
export function readLog(lines: readonly string[]): { log: LogLine[]; faults: Violation[] } {
  const log: LogLine[] = [];
  const faults: Violation[] = [];
  let prev = FIRST_PREV;
  for (const [index, text] of lines.entries()) {
    const where = `audit:${index + 1}`;
    const fault = (sentence: string): void => void faults.push({ invariant: 'chain_holds', where, sentence });
    const event = parseEvent(text);
    if (event === null) {
      fault('this is no event of an audit log');
      continue;
    }
    const { hash, ...rest } = event;
    if (event.seq !== index + 1) fault(`seq is ${event.seq} and must be ${index + 1}`);
    if (event.prev !== prev) fault('prev is not the hash of the line before');
    if (hash !== `sha256:${sha256(canonicalize(rest))}`) fault('its content does not have its hash');
    prev = hash;
    const { seq, actor, subject, data } = event;
    log.push({ where, seq, atMs: Date.parse(event.at), actor, event: event.event, subject, data, hash });
  }
  return { log, faults };
}

interface RawEvent extends Pick<LogLine, 'seq' | 'actor' | 'event' | 'subject' | 'data' | 'hash'> {
  at: string;
  prev: string;
}

function parseEvent(text: string): RawEvent | null {
  try {
    const event = JSON.parse(text) as Partial<RawEvent> | null;
    const isWhole = typeof event?.event === 'string' && typeof event.hash === 'string';
    return isWhole && typeof event.subject?.id === 'string' ? (event as RawEvent) : null;
  } catch {
    return null;
  }
}
