import { sha256 } from './canonical-json.ts';
import type { Violation } from './evidence.ts';

/** One record of an agent's journal, with what this checker reads of it. */
export interface JournalLine {
  /** Where it stands, `web-1:7`. */
  where: string;
  journal: string;
  kind: string;
  commandId: string;
  /** When the agent wrote it, by the control plane's clock as the agent knows it; NaN where the record says nothing. */
  atMs: number;
  attempt: number | null;
  kid: string | null;
  seq: number | null;
  step: number | null;
  bootId: string | null;
  result: { status: string; code: string | null; exitCode: number | null; stdoutDigest: string } | null;
}

const FRAME = /^\{"sum":"([0-9a-f]{16})","record":(.*)\}$/s;

/** The records in their order. A torn last line is a crash and no fault; any other that cannot be read is one. */
export function readJournal(input: { name: string; lines: readonly string[] }): {
  lines: JournalLine[];
  faults: Violation[];
} {
  const lines: JournalLine[] = [];
  const faults: Violation[] = [];
  for (const [index, text] of input.lines.entries()) {
    const where = `${input.name}:${index + 1}`;
    const [, sum, body] = FRAME.exec(text) ?? [];
    if (body === undefined || sum !== sha256(body).slice(0, 16)) {
      const isLast = index === input.lines.length - 1;
      const sentence = 'the record is damaged, and it is not the last one';
      if (!isLast) faults.push({ invariant: 'journal_in_order', where, sentence });
      continue;
    }
    const record = JSON.parse(body) as Record<string, unknown>;
    if (typeof record['command_id'] === 'string') lines.push(toLine(record, { where, journal: input.name }));
  }
  return { lines, faults };
}

function toLine(record: Record<string, unknown>, place: { where: string; journal: string }): JournalLine {
  const numberOf = (name: string): number | null => (typeof record[name] === 'number' ? record[name] : null);
  const textOf = (name: string): string | null => (typeof record[name] === 'string' ? record[name] : null);
  return {
    ...place,
    kind: textOf('kind') ?? '',
    commandId: textOf('command_id') ?? '',
    atMs: Date.parse(textOf('at') ?? ''),
    attempt: numberOf('attempt'),
    kid: textOf('kid'),
    seq: numberOf('seq'),
    step: numberOf('step'),
    bootId: textOf('boot_id'),
    result: readResult(record['result']),
  };
}

function readResult(raw: unknown): JournalLine['result'] {
  if (typeof raw !== 'object' || raw === null) return null;
  const { status, code, exit_code, stdout_sha256 } = raw as Record<string, unknown>;
  return {
    status: String(status),
    code: typeof code === 'string' ? code : null,
    exitCode: typeof exit_code === 'number' ? exit_code : null,
    stdoutDigest: String(stdout_sha256),
  };
}
