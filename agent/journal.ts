import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DurableStep } from '../domain/durable-step.ts';
import { passCrashPoint } from '../domain/durable-step.ts';
import type { CommandResult } from '../protocol/messages.ts';
import { writeDurably } from './durable-file.ts';
import { openFence } from './fence.ts';
import { encodeRecord } from './journal-lines.ts';
import { applyRecord, summarizeState } from './journal-state.ts';
import type { Damage, JournalEntry, JournalRecord } from './journal-state.ts';
import { mendJournal } from './mend-journal.ts';

const MAX_JOURNAL_BYTES = 16 * 1024 * 1024; // then it is written anew with what still matters

export interface Journal {
  /** On disk (file and directory) when it returns, all records or none that counts. Throws where it cannot be. */
  append(records: readonly JournalRecord[]): Promise<void>;
  find(commandId: string): JournalEntry | undefined;
  /** Received, without a result. */
  listOpen(): JournalEntry[];
  /** Results to be sent, oldest first. */
  listUnacknowledged(): CommandResult[];
  highestSeq(kid: string): number;
  /** What could not be read, until a `damage_told` is appended. */
  readonly damage: Damage | null;
  /** Writes the file anew where it has grown too large; keeps whatever is not acknowledged. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

/**
 * An append-only file of JSON lines, each with its own checksum, and the fence beside it; what a crash or damage left is
 * set right first (see `mendJournal`). INVARIANT: a command that was received is in both before `append` returns.
 */
export async function openJournal(
  path: string,
  { maxBytes = MAX_JOURNAL_BYTES, nowMs = Date.now() } = {},
): Promise<Journal> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fencePath = join(dirname(path), 'fence');
  let file = await open(path, flags, 0o600);
  const mended = await mendJournal({ path, fencePath, file, nowMs }).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  if (mended.isReplaced) {
    await file.close();
    file = await open(path, flags, 0o600);
  }
  const { state } = mended;
  const fence = await openFence(fencePath, mended.fence);
  let { size } = await file.stat();
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  const append = async (records: readonly JournalRecord[]): Promise<void> => {
    const bytes = Buffer.from(records.map(encodeRecord).join(''), 'utf8');
    const step = stepOf(records);
    passCrashPoint(`${step}:before`);
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await file.write(bytes, done, bytes.length - done, size + done)).bytesWritten;
      }
      await file.sync();
      for (const record of records) if (record.kind === 'received') await fence.raise(record);
    } catch (error) {
      await file.truncate(size).catch(() => undefined); // half a record must not spoil the next one
      throw error;
    }
    passCrashPoint(`${step}:after`);
    size += bytes.length;
    for (const record of records) applyRecord(state, record);
  };
  const compact = async (): Promise<void> => {
    if (size <= maxBytes) return;
    const text = summarizeState(state).map(encodeRecord).join('');
    await writeDurably(path, { text, step: 'journal.compact' });
    await file.close();
    file = await open(path, flags, 0o600);
    size = Buffer.byteLength(text);
    maxBytes = Math.max(maxBytes, 2 * size);
  };
  return {
    append: (records) => inOrder(() => append(records)),
    find: (commandId) => state.entries.get(commandId),
    listOpen: () =>
      [...state.entries.values()].filter(({ result, isAcknowledged }) => result === null && !isAcknowledged),
    listUnacknowledged: () =>
      [...state.entries.values()].flatMap((entry) =>
        entry.result === null || entry.isAcknowledged ? [] : [entry.result],
      ),
    highestSeq: (kid) => state.seqs.get(kid) ?? 0,
    get damage() {
      return state.damage;
    },
    compact: () => inOrder(compact),
    close: () =>
      inOrder(async () => {
        await fence.close();
        await file.close();
      }),
  };
}

/** What comes together is named for the last of it: that is what it announces. */
function stepOf(records: readonly JournalRecord[]): DurableStep {
  const kind = records.at(-1)?.kind;
  switch (kind) {
    case 'started':
    case 'exited':
    case 'acknowledged':
    case 'damage_told':
      return `journal.${kind}`;
    default:
      return 'journal.intent';
  }
}
