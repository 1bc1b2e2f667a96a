import { createHash } from 'node:crypto';
import type { JournalRecord } from './journal-state.ts';

/** A record as one line, with the checksum that tells it from damage. */
export function encodeRecord(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `{"sum":"${checksum(text)}","record":${text}}\n`;
}

export function checksum(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
}

export interface JournalLines {
  records: JournalRecord[];
  /** Where what can be read ends; behind it there is at most one line, the last, which a crash may have torn. */
  end: number;
  isTorn: boolean;
  /** The numbers, from 1, of lines before the last that cannot be read. */
  damaged: number[];
}

export function readLines(bytes: Buffer): JournalLines {
  const lines: JournalLines = { records: [], end: 0, isTorn: false, damaged: [] };
  let at = 0;
  for (let number = 1; at < bytes.length; number++) {
    const newline = bytes.indexOf(0x0a, at);
    const record = newline === -1 ? undefined : decodeRecord(bytes.toString('utf8', at, newline));
    if (record === undefined && (newline === -1 || newline === bytes.length - 1)) return { ...lines, isTorn: true };
    at = newline + 1;
    lines.end = at;
    if (record === undefined) lines.damaged.push(number);
    else lines.records.push(record);
  }
  return lines;
}

const LINE = /^\{"sum":"([0-9a-f]{16})","record":(.*)\}$/s;

function decodeRecord(line: string): JournalRecord | undefined {
  const [, sum, text] = LINE.exec(line) ?? [];
  if (text === undefined || sum !== checksum(text)) return undefined;
  return JSON.parse(text) as JournalRecord; // ours, as the checksum says
}
