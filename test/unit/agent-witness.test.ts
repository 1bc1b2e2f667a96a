import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWitness, readWitness, WITNESS } from '../../agent/witness.ts';
import { decodeCheckpoint, signCheckpoint } from '../../protocol/checkpoint.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { SigningKey } from '../../protocol/keys.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

let folder: string;
let key: SigningKey;
let logged: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'medic-witness-'));
  key = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
  logged = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const headOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

function sign(count: number, change: { history?: string; atMs?: number; by?: SigningKey } = {}): Promise<string> {
  const { history = 'honest', atMs = START_MS + count, by = key } = change;
  const checkpoint = { count, head: headOf(`${history} ${String(count)}`), at: new Date(atMs).toISOString() };
  return signCheckpoint({ checkpoint, privateKey: by.privateKey, kid: key.publicKey.kid });
}

const open = (serverId = 'srv-1') =>
  openWitness({ folder, serverId, log: (level, message) => void logged.push(`${level}: ${message}`) });

async function hear(...texts: string[]): Promise<void> {
  const witness = await open();
  for (const jws of texts) await witness.hear({ jws, keys: [key.publicKey] });
}

async function readCounts(): Promise<{ kept: (number | undefined)[]; contradictions: (number | undefined)[] }> {
  const file = await readWitness(folder);
  const countOf = (jws: string): number | undefined => decodeCheckpoint(jws)?.count;
  return { kept: (file?.checkpoints ?? []).map(countOf), contradictions: (file?.contradictions ?? []).map(countOf) };
}

test('keeps each newer checkpoint, also over restarts, in a file of its own user', async () => {
  await hear(await sign(1), await sign(101));
  await hear(await sign(101), await sign(102));
  expect(await readCounts()).toEqual({ kept: [1, 101, 102], contradictions: [] });
  expect(statSync(join(folder, WITNESS)).mode & 0o777).toBe(0o600);
  expect(logged).toEqual([]);
});

test.each([
  ['fewer events than before', 150],
  ['something else of as many events', 200],
])('keeps both sides of %s, tells it once, and never overwrites the first', async (_, count) => {
  await hear(await sign(100), await sign(200));
  const lie = await sign(count, { history: 'rewritten' });
  await hear(lie, lie, await sign(300, { history: 'rewritten' }));
  expect(await readCounts()).toEqual({ kept: [100, 200, 300], contradictions: [200, count] });
  expect(logged).toEqual([expect.stringMatching(/^error: the control plane takes back what it signed/)]);
});

test('believes nothing that another key signed, or nobody', async () => {
  const stranger = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });
  await hear(await sign(5));
  await hear('nonsense', await sign(9, { by: stranger }), (await sign(9)).slice(0, -4));
  expect(await readCounts()).toEqual({ kept: [5], contradictions: [] });
  expect(logged).toHaveLength(3);
});

test('keeps the last of each day of a year, and all of the newest', async () => {
  const file = { server_id: 'srv-1', checkpoints: [] as string[], contradictions: [] };
  for (let i = 1; i <= 460; i++) file.checkpoints.push(await sign(i, { atMs: START_MS + i * (DAY_MS / 4) }));
  writeFileSync(join(folder, WITNESS), JSON.stringify(file));
  await hear(await sign(461, { atMs: START_MS + 461 * (DAY_MS / 4) }));
  const { kept } = await readCounts();
  const older = kept.slice(0, -100);
  expect(kept.slice(-100)).toEqual(Array.from({ length: 100 }, (_, i) => 362 + i));
  expect(older).toEqual(Array.from({ length: older.length }, (_, i) => 4 * i + 3));
  expect(older.length).toBe(90);
});

test('sets aside what is damaged or of another enrolment, and keeps it', async () => {
  await hear(await sign(7));
  const first = readFileSync(join(folder, WITNESS), 'utf8');
  await (await open('srv-2')).hear({ jws: await sign(3), keys: [key.publicKey] });
  expect(await readCounts()).toEqual({ kept: [3], contradictions: [] });
  writeFileSync(join(folder, WITNESS), '{"server_id": "srv-2", "checkp');
  await open('srv-2');
  const aside = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  expect(aside).toEqual(expect.arrayContaining([first, '{"server_id": "srv-2", "checkp']));
  expect(logged).toEqual([expect.stringMatching(/^warn.*another enrolment/), expect.stringMatching(/^error.*damaged/)]);
});
