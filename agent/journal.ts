import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import type { CommandResult } from '../protocol/messages.ts';
import { syncDirectory, writeDurably } from './durable-file.ts';
import { applyRecord, createState, summarizeState } from './journal-state.ts';
import type { JournalEntry, JournalRecord, JournalState } from './journal-state.ts';

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
  /** Writes the file anew where it has grown too large; keeps whatever is not acknowledged. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

/**
 * An append-only file of JSON lines, each with its own checksum. A torn last line, the trace of a crash, is cut
 * off; damage anywhere else throws ConfigurationError `journal_damaged`, because it may hide what was started.
 */
export async function openJournal(path: string, { maxBytes = MAX_JOURNAL_BYTES } = {}): Promise<Journal> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  let file = await open(path, flags, 0o600);
  const state = createState();
  let size = await recover({ file, path, state });
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  const append = async (records: readonly JournalRecord[]): Promise<void> => {
    const bytes = Buffer.from(records.map(encodeRecord).join(''), 'utf8');
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await file.write(bytes, done, bytes.length - done, size + done)).bytesWritten;
      }
      await file.sync();
    } catch (error) {
      await file.truncate(size).catch(() => undefined); // half a record must not spoil the next one
      throw error;
    }
    size += bytes.length;
    for (const record of records) applyRecord(state, record);
  };
  const compact = async (): Promise<void> => {
    if (size <= maxBytes) return;
    const text = summarizeState(state).map(encodeRecord).join('');
    await writeDurably(path, text);
    await file.close();
    file = await open(path, flags, 0o600);
    size = Buffer.byteLength(text);
    maxBytes = Math.max(maxBytes, 2 * size);
  };
  return {
    append: (records) => inOrder(() => append(records)),
    find: (commandId) => state.entries.get(commandId),
    listOpen: () => [...state.entries.values()].filter((entry) => entry.result === null),
    listUnacknowledged: () =>
      [...state.entries.values()].flatMap((entry) =>
        entry.result === null || entry.isAcknowledged ? [] : [entry.result],
      ),
    highestSeq: (kid) => state.seqs.get(kid) ?? 0,
    compact: () => inOrder(compact),
    close: () => inOrder(() => file.close()),
  };
}

function encodeRecord(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `{"sum":"${checksum(text)}","record":${text}}\n`;
}

function checksum(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
}

const LINE = /^\{"sum":"([0-9a-f]{16})","record":(.*)\}$/s;

function decodeRecord(line: string): JournalRecord | undefined {
  const [, sum, text] = LINE.exec(line) ?? [];
  if (text === undefined || sum !== checksum(text)) return undefined;
  return JSON.parse(text) as JournalRecord; // ours, as the checksum says
}

/** Reads the file and cuts a torn end off, on disk. */
async function recover(input: { file: FileHandle; path: string; state: JournalState }): Promise<number> {
  try {
    const size = await replay(input);
    await input.file.truncate(size);
    await input.file.sync();
    await syncDirectory(dirname(input.path));
    return size;
  } catch (error) {
    await input.file.close();
    throw error;
  }
}

/** The number of good bytes at the start of the file. */
async function replay({ file, path, state }: { file: FileHandle; path: string; state: JournalState }): Promise<number> {
  const bytes = await file.readFile();
  let at = 0;
  for (let line = 1; at < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline === -1 ? bytes.length : newline;
    const record = newline === -1 ? undefined : decodeRecord(bytes.toString('utf8', at, end));
    if (record === undefined) {
      if (newline === -1 || newline === bytes.length - 1) return at;
      const message = `The journal ${path} is damaged in line ${String(line)}: see what ran last, then move it away.`;
      throw new ConfigurationError(message, { code: 'journal_damaged' });
    }
    applyRecord(state, record);
    at = end + 1;
  }
  return at;
}
