import type { CommandResult } from '../protocol/messages.ts';

const KEPT_COMMANDS = 1000; // ids that are never run again; older ones are caught by `seq`
const KEPT_OUTPUTS = 20; // of results that were acknowledged already

export type JournalRecord =
  | { kind: 'received'; command_id: string; attempt: number; kid: string; seq: number; at: string }
  | { kind: 'intent'; command_id: string; at: string }
  | {
      kind: 'started';
      command_id: string;
      pid: number | null;
      start_ticks: number | null;
      boot_id: string;
      step: number;
      at: string;
    }
  | { kind: 'exited'; command_id: string; result: CommandResult }
  | { kind: 'acknowledged'; command_id: string }
  | { kind: 'highest_seq'; kid: string; seq: number };

/** received → intent → started → exited → acknowledged; each step may be the last one on disk. */
export interface JournalEntry {
  commandId: string;
  attempt: number;
  kid: string;
  seq: number;
  receivedAt: string;
  hasIntent: boolean;
  startedAt: string | null;
  result: CommandResult | null;
  isAcknowledged: boolean;
}

export interface JournalState {
  entries: Map<string, JournalEntry>;
  seqs: Map<string, number>;
}

export function createState(): JournalState {
  return { entries: new Map(), seqs: new Map() };
}

/** Later records about a command add to it; one about an unknown command means nothing. */
export function applyRecord(state: JournalState, record: JournalRecord): void {
  if (record.kind === 'highest_seq' || record.kind === 'received') {
    state.seqs.set(record.kid, Math.max(record.seq, state.seqs.get(record.kid) ?? 0));
  }
  if (record.kind === 'highest_seq') return;
  if (record.kind === 'received') {
    state.entries.set(record.command_id, createEntry(record));
    return;
  }
  const entry = state.entries.get(record.command_id);
  if (entry === undefined) return;
  switch (record.kind) {
    case 'intent':
      entry.hasIntent = true;
      return;
    case 'started':
      entry.startedAt ??= record.at;
      return;
    case 'exited':
      entry.result = record.result;
      return;
    case 'acknowledged':
      entry.isAcknowledged = true;
      return;
  }
}

function createEntry(record: Extract<JournalRecord, { kind: 'received' }>): JournalEntry {
  return {
    commandId: record.command_id,
    attempt: record.attempt,
    kid: record.kid,
    seq: record.seq,
    receivedAt: record.at,
    hasIntent: false,
    startedAt: null,
    result: null,
    isAcknowledged: false,
  };
}

/**
 * The fewest records that keep what matters: whatever is not acknowledged, the last ids, the highest seq of each key.
 * Forgets the rest in `state` too.
 */
export function summarizeState(state: JournalState): JournalRecord[] {
  const done = [...state.entries.values()].filter((entry) => entry.isAcknowledged);
  for (const entry of done.slice(0, Math.max(0, done.length - KEPT_COMMANDS))) state.entries.delete(entry.commandId);
  const stripped = new Set(done.slice(0, Math.max(0, done.length - KEPT_OUTPUTS)));
  for (const entry of stripped) if (entry.result !== null) entry.result = withoutOutput(entry.result);
  const seqs = [...state.seqs].map(([kid, seq]): JournalRecord => ({ kind: 'highest_seq', kid, seq }));
  return [...seqs, ...[...state.entries.values()].flatMap(toRecords)];
}

function toRecords(entry: JournalEntry): JournalRecord[] {
  const { commandId: command_id, attempt, kid, seq, receivedAt: at } = entry;
  const records: JournalRecord[] = [{ kind: 'received', command_id, attempt, kid, seq, at }];
  if (entry.hasIntent) records.push({ kind: 'intent', command_id, at });
  if (entry.startedAt !== null) {
    const unknown = { pid: null, start_ticks: null, boot_id: '', step: 1 };
    records.push({ kind: 'started', command_id, ...unknown, at: entry.startedAt });
  }
  if (entry.result !== null) records.push({ kind: 'exited', command_id, result: entry.result });
  if (entry.isAcknowledged) records.push({ kind: 'acknowledged', command_id });
  return records;
}

function withoutOutput(result: CommandResult): CommandResult {
  const isTruncated = result.truncated || result.stdout !== '' || result.stderr !== '';
  return { ...result, stdout: '', stderr: '', truncated: isTruncated };
}
