import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../agent/journal.ts';
import type { JournalRecord } from '../../agent/journal-state.ts';
import type { CommandResult } from '../../protocol/messages.ts';

let folder: string;
let path: string;
let fence: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medic-journal-'));
  path = join(folder, 'journal.jsonl');
  fence = join(folder, 'fence');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const at = '2026-01-01T00:00:00.000Z';
const accepted = (id: string, seq: number): JournalRecord[] => [
  { kind: 'received', command_id: id, attempt: 1, kid: 'k', seq, at },
  { kind: 'intent', command_id: id, at },
];
const started = (id: string): JournalRecord => {
  return { kind: 'started', command_id: id, pid: 7, start_ticks: 1, boot_id: 'b', step: 1, at };
};
const exited = (id: string): JournalRecord => {
  return { kind: 'exited', command_id: id, result: { command_id: id, attempt: 1, finished_at: at } as CommandResult };
};

/** Two commands that ended, one told and one not, and `c`, which is running when the power goes. */
async function writeJournal(): Promise<Buffer> {
  const journal = await openJournal(path);
  for (const [index, id] of ['a', 'b', 'c'].entries()) {
    await journal.append(accepted(id, index + 1));
    await journal.append([started(id)]);
    if (id !== 'c') await journal.append([exited(id)]);
    if (id === 'a') await journal.append([{ kind: 'acknowledged', command_id: id }]);
  }
  await journal.close();
  return readFileSync(path);
}

/** What is in the folder goes back to what it was; kept damaged files go. */
function restore(journal: Buffer, fenceBytes: Buffer): void {
  for (const name of readdirSync(folder)) if (name.startsWith('journal.damaged-')) rmSync(join(folder, name));
  writeFileSync(path, journal);
  writeFileSync(fence, fenceBytes);
}

const flip = (bytes: Buffer, position: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(position) ^ 0x55, position);
  return copy;
};

/** Whatever was lost, a command of before can neither be new nor be above the highest seq. */
async function expectNothingReopened(): Promise<void> {
  const journal = await openJournal(path);
  expect(journal.highestSeq('k')).toBe(3);
  const running = journal.find('c');
  expect(running).toMatchObject({ commandId: 'c', result: null });
  if (journal.damage !== null) expect(running?.startedAt).not.toBeNull();
  expect(journal.listOpen().map((entry) => entry.commandId)).toContain('c');
  await journal.close();
}

describe('a damaged journal', () => {
  test('reopens nothing, whichever byte is spoilt', async () => {
    const whole = await writeJournal();
    const fenceBytes = readFileSync(fence);
    for (let position = 0; position < whole.length; position += 5) {
      restore(flip(whole, position), fenceBytes);
      await expectNothingReopened();
    }
  });

  test('reopens nothing, wherever its end is lost, and where all of it is', async () => {
    const whole = await writeJournal();
    const fenceBytes = readFileSync(fence);
    const afterIntent = whole.indexOf('"kind":"intent","command_id":"c"') + 60;
    for (let end = 0; end < afterIntent; end += 11) {
      restore(whole.subarray(0, end), fenceBytes);
      await expectNothingReopened();
    }
    restore(whole, fenceBytes);
    rmSync(path);
    await expectNothingReopened();
  });

  test('is kept beside the new one, with its count, until that was told', async () => {
    const whole = await writeJournal();
    const spoilt = flip(whole, whole.indexOf('"kind":"exited","command_id":"b"'));
    writeFileSync(path, spoilt);
    const mended = await openJournal(path, { nowMs: Date.parse(at) });
    const kept_as = 'journal.damaged-2026-01-01T00-00-00.000Z.jsonl';
    expect(mended.damage).toEqual({ found_at: at, lines: 1, kept_as });
    expect(readFileSync(join(folder, kept_as))).toEqual(spoilt);
    expect(mended.listOpen().map((entry) => entry.commandId)).toEqual(['b', 'c']);
    await mended.close();
    const again = await openJournal(path);
    expect(again.damage?.found_at).toBe(at);
    await again.append([{ kind: 'damage_told' }]);
    await again.close();
    const later = await openJournal(path);
    expect(later.damage).toBeNull();
    expect(readdirSync(folder).filter((name) => name.startsWith('journal.damaged-'))).toEqual([kept_as]);
    await later.close();
  });

  test('still tells the end of a command whose beginning was lost', async () => {
    const whole = await writeJournal();
    writeFileSync(path, flip(whole, whole.indexOf('"kind":"received","command_id":"b"')));
    const journal = await openJournal(path);
    expect(journal.listUnacknowledged()).toMatchObject([{ command_id: 'b', attempt: 1 }]);
    await journal.close();
  });

  test('is silent about a command that was told, though its end was lost', async () => {
    const whole = await writeJournal();
    writeFileSync(path, flip(whole, whole.indexOf('"kind":"exited","command_id":"a"')));
    const journal = await openJournal(path);
    expect(journal.listOpen().map((entry) => entry.commandId)).toEqual(['c']);
    expect(journal.find('a')).toMatchObject({ isAcknowledged: true });
    await journal.close();
  });

  test('with a damaged fence, or none, refuses to start and says what to do', async () => {
    const whole = await writeJournal();
    const fenceBytes = readFileSync(fence);
    for (const spoilt of [flip(fenceBytes, 30), flip(fenceBytes, 8192 + 30), fenceBytes.subarray(0, 9000)]) {
      restore(flip(whole, 50), spoilt);
      const refusal = { code: 'journal_damaged', message: expect.stringContaining('enrol it again') };
      await expect(openJournal(path)).rejects.toMatchObject(refusal);
    }
    rmSync(fence);
    await expect(openJournal(path)).rejects.toMatchObject({ code: 'journal_damaged' });
    expect(existsSync(path)).toBe(true);
  });
});

describe('the fence of a journal', () => {
  test('is made from a whole journal where it is missing or spoilt at any byte', async () => {
    const whole = await writeJournal();
    const fenceBytes = readFileSync(fence);
    for (let position = 0; position < fenceBytes.length; position += 211) {
      restore(whole, flip(fenceBytes, position));
      await expectNothingReopened();
      restore(whole.subarray(0, -1), readFileSync(fence)); // it counts again: a torn end is cut, and all is known
      await expectNothingReopened();
    }
    restore(whole, fenceBytes);
    rmSync(fence);
    await expectNothingReopened();
    expect(existsSync(fence)).toBe(true);
  });

  test('remembers each key, also over many', async () => {
    const journal = await openJournal(path);
    for (let key = 1; key <= 40; key++) {
      const received = { kind: 'received', command_id: `c${String(key)}`, attempt: 1, at } as const;
      await journal.append([{ ...received, kid: `${'k'.repeat(120)}${String(key)}`, seq: key }]);
    }
    await journal.close();
    rmSync(path);
    const again = await openJournal(path);
    const seqs = [8, 9, 40].map((key) => again.highestSeq(`${'k'.repeat(120)}${String(key)}`));
    expect(seqs).toEqual([0, 9, 40]);
    await again.close();
  });
});
