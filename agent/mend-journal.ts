import { link } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { durably } from '../domain/durable-step.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { syncDirectory, writeDurably } from './durable-file.ts';
import { readErrorMessage } from './failure.ts';
import { makeFence, readFence } from './fence.ts';
import type { FenceContent, FenceReading } from './fence.ts';
import { encodeRecord, readLines } from './journal-lines.ts';
import type { JournalLines } from './journal-lines.ts';
import { applyRecord, createState, summarizeState } from './journal-state.ts';
import type { JournalEntry, JournalState } from './journal-state.ts';

export interface Mended {
  state: JournalState;
  fence: FenceContent;
  /** The file was put in the place of the damaged one: it has to be opened anew. */
  isReplaced: boolean;
}

export interface JournalPlace {
  path: string;
  fencePath: string;
  file: FileHandle;
  nowMs: number;
}

/**
 * Reads the journal and sets right what a crash or damage left. A torn last line is cut off. Where more cannot be read,
 * or the last command of the fence is missing, the file is kept as `journal.damaged-…`, what can be read goes on, and the
 * lost command counts as started, so that it is ended and never run again; older ones are kept out by the highest seq.
 * Where the fence cannot vouch for that, throws ConfigurationError `journal_damaged`: nothing may run.
 */
export async function mendJournal(place: JournalPlace): Promise<Mended> {
  const bytes = await place.file.readFile();
  const lines = readLines(bytes);
  const fence = await readFence(place.fencePath);
  const state = createState();
  for (const record of lines.records) applyRecord(state, record);
  const lost = fence.state === 'sound' ? findLost(state, fence.content) : null;
  if (lines.damaged.length === 0 && lost === null && !(lines.isTorn && fence.state === 'unsound')) {
    await durably('journal.open', () => cutTornEnd(place, lines.end));
    return { state, fence: await renewFence(place, { fence, state }), isReplaced: false };
  }
  if (fence.state !== 'sound') throw refuseToStart(place, lines);
  await replaceJournal(place, { state, lines, fence: fence.content, hasContent: bytes.length > 0 });
  return { state, fence: fence.content, isReplaced: true };
}

function findLost(state: JournalState, { last }: FenceContent): FenceContent['last'] {
  return last === null || state.entries.has(last.command_id) ? null : last;
}

async function cutTornEnd({ path, file }: JournalPlace, end: number): Promise<void> {
  await file.truncate(end);
  await file.sync();
  await syncDirectory(dirname(path));
}

/** A whole journal knows all that the fence does: one that is missing or spoilt is made from it. */
async function renewFence(
  { fencePath }: JournalPlace,
  { fence, state }: { fence: FenceReading; state: JournalState },
): Promise<FenceContent> {
  if (fence.state === 'sound') return fence.content;
  const last = [...state.entries.values()].at(-1);
  try {
    return await makeFence(fencePath, { seqs: [...state.seqs], last: last === undefined ? null : toFenced(last) });
  } catch (cause) {
    const message = `${fencePath} cannot be written (${readErrorMessage(cause)}).`;
    throw new ConfigurationError(message, { code: 'folder_unusable', cause });
  }
}

function toFenced({ commandId, attempt, kid, seq, receivedAt }: JournalEntry) {
  return { command_id: commandId, attempt, kid, seq, at: receivedAt };
}

async function replaceJournal(
  { path, nowMs }: JournalPlace,
  found: { state: JournalState; lines: JournalLines; fence: FenceContent; hasContent: boolean },
): Promise<void> {
  const { state, lines, fence, hasContent } = found;
  for (const [kid, seq] of fence.seqs) applyRecord(state, { kind: 'highest_seq', kid, seq });
  const lost = findLost(state, fence);
  if (lost !== null) {
    const { command_id, at } = lost;
    applyRecord(state, { kind: 'received', ...lost });
    applyRecord(state, { kind: 'intent', command_id, at });
  }
  assumeStarted(state);
  const found_at = new Date(nowMs).toISOString();
  const kept = join(dirname(path), `journal.damaged-${found_at.replaceAll(':', '-')}.jsonl`);
  if (hasContent) await link(path, kept);
  const unread = lines.damaged.length + (lines.isTorn ? 1 : 0);
  const kept_as = hasContent ? basename(kept) : null;
  applyRecord(state, { kind: 'damage_found', found_at, lines: unread, kept_as });
  await writeDurably(path, { text: summarizeState(state).map(encodeRecord).join(''), step: 'journal.mend' });
}

/** A `started` may be among what was lost: whoever reads the end must not take it for that of one that never began. */
function assumeStarted(state: JournalState): void {
  for (const { commandId: command_id, result, receivedAt: at } of state.entries.values()) {
    if (result !== null) continue;
    applyRecord(state, { kind: 'started', command_id, pid: null, start_ticks: null, boot_id: '', step: 1, at });
  }
}

function refuseToStart({ path, fencePath }: JournalPlace, { damaged }: JournalLines): ConfigurationError {
  const where = damaged[0] === undefined ? 'its end' : `line ${String(damaged[0])}`;
  const message =
    `The journal ${path} is damaged (${where}) and so is ${fencePath}, or it is missing: what ran last cannot be ` +
    'known. Look at this server, move both files away, and enrol it again with a new token.';
  return new ConfigurationError(message, { code: 'journal_damaged' });
}
