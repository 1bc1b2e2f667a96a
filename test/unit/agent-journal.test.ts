import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBackoff } from '../../agent/backoff.ts';
import { openJournal } from '../../agent/journal.ts';
import type { CommandResult } from '../../protocol/messages.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medic-journal-'));
  path = join(folder, 'journal.jsonl');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const at = '2026-01-01T00:00:00.000Z';
const received = (id: string, seq: number) =>
  ({ kind: 'received', command_id: id, attempt: 1, kid: 'k', seq, at }) as const;
const exited = (id: string) =>
  ({ kind: 'exited', command_id: id, result: { command_id: id, stdout: 'x'.repeat(500) } as CommandResult }) as const;

test('a journal is read again as it was, without its torn last line', async () => {
  const first = await openJournal(path);
  await first.append([received('a', 4), { kind: 'intent', command_id: 'a', at }]);
  await first.append([received('b', 3), exited('b')]);
  await first.close();
  appendFileSync(path, '{"sum":"0123');
  const second = await openJournal(path);
  expect(second.listOpen().map((entry) => entry.commandId)).toEqual(['a']);
  expect(second.listUnacknowledged().map((result) => result.command_id)).toEqual(['b']);
  expect(second.highestSeq('k')).toBe(4);
  await second.append([{ kind: 'acknowledged', command_id: 'b' }]);
  await second.close();
  const third = await openJournal(path);
  expect(third.listUnacknowledged()).toEqual([]);
  await third.close();
});

test('compaction keeps unacknowledged results, ids and the highest seq', async () => {
  const journal = await openJournal(path, { maxBytes: 2_000 });
  for (let i = 1; i <= 1_100; i++) {
    await journal.append([received(`c${String(i)}`, i), exited(`c${String(i)}`)]);
    if (i !== 5) await journal.append([{ kind: 'acknowledged', command_id: `c${String(i)}` }]);
  }
  await journal.compact();
  await journal.close();
  const again = await openJournal(path);
  expect(again.listUnacknowledged().map((result) => result.stdout.length)).toEqual([500]);
  expect(again.find('c1100')?.isAcknowledged).toBe(true);
  expect(again.find('c1')).toBeUndefined();
  expect(again.highestSeq('k')).toBe(1_100);
  await again.close();
});

test('backoff grows to its cap, jitters fully and honours what it was told', () => {
  const backoff = createBackoff({ random: () => 1 });
  expect([1, 2, 3, 4].map(() => backoff.nextMs())).toEqual([1_000, 2_000, 4_000, 8_000]);
  for (let i = 0; i < 40; i++) backoff.nextMs();
  expect(backoff.nextMs(5_000)).toBe(65_000);
  backoff.reset();
  expect(createBackoff({ random: () => 0 }).nextMs()).toBe(0);
  expect(backoff.nextMs()).toBe(1_000);
});
