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
  | { kind: 'highest_seq'; kid: string; seq: number }
  /** The journal was mended: `lines` could not be read, and lie in the file `kept_as`. */
  | { kind: 'damage_found'; found_at: string; lines: number; kept_as: string | null }
  | { kind: 'damage_told' };

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

export type Damage = Omit<Extract<JournalRecord, { kind: 'damage_found' }>, 'kind'>;

export interface JournalState {
  entries: Map<string, JournalEntry>;
  seqs: Map<string, number>;
  /** Found, and not told to the control plane yet. */
  damage: Damage | null;
}

export function createState(): JournalState {
  return { entries: new Map(), seqs: new Map(), damage: null };
}

/** Later records about a command add to it; of those about an unknown command only its end means anything. */
export function applyRecord(state: JournalState, record: JournalRecord): void {
  if (record.kind === 'highest_seq' || record.kind === 'received') {
    state.seqs.set(record.kid, Math.max(record.seq, state.seqs.get(record.kid) ?? 0));
  }
  if (record.kind === 'highest_seq') return;
  if (record.kind === 'damage_found' || record.kind === 'damage_told') {
    state.damage = record.kind === 'damage_told' ? null : withoutKind(record);
    return;
  }
  if (record.kind === 'received') {
    state.entries.set(record.command_id, createEntry(record));
    return;
  }
  const entry = state.entries.get(record.command_id);
  if (entry === undefined) {
    if (record.kind === 'exited') state.entries.set(record.command_id, createEndedEntry(record.result));
    return;
  }
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

/** Of a command whose `received` was lost: what came of it can still be told. */
function createEndedEntry(result: CommandResult): JournalEntry {
  const { command_id, attempt, finished_at: at } = result;
  return { ...createEntry({ kind: 'received', command_id, attempt, kid: '', seq: 0, at }), result };
}

function withoutKind({ found_at, lines, kept_as }: Damage): Damage {
  return { found_at, lines, kept_as };
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
  const damage: JournalRecord[] = state.damage === null ? [] : [{ kind: 'damage_found', ...state.damage }];
  return [...seqs, ...damage, ...[...state.entries.values()].flatMap(toRecords)];
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
