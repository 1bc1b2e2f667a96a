import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generatePrivateKeyPem, importPublicKey } from '../../protocol/keys.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { startMedicProcess } from '../support/medic-process.ts';

let db: TestDatabase;
let folder: string;
beforeAll(async () => {
  db = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'medic-keys-'));
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** An id is base64url, so that one in 64 looks like an option. */
async function makeDashedKey(): Promise<{ pem: string; kid: string }> {
  for (;;) {
    const pem = generatePrivateKeyPem();
    const { kid } = await importPublicKey({ pem, source: 'the test' });
    if (kid.startsWith('-')) return { pem, kid };
  }
}

test('a key is added and retired by its id, also where that begins with a dash', async () => {
  const signing = generatePrivateKeyPem();
  const env = { DATABASE_URL: db.url, MEDIC_SIGNING_KEY: signing.replaceAll('\n', '\\n') };
  const medic = async (...args: string[]): Promise<string> => {
    const process = startMedicProcess(['keys', ...args], env);
    const code = await process.ended;
    return `${String(code)} ${process.printed()}`;
  };
  const { pem, kid } = await makeDashedKey();
  const file = join(folder, 'key.pem');
  writeFileSync(file, pem);
  expect(await medic('add', file)).toContain(`0 Agents accept ${kid}.`);
  expect(await medic('retire', kid)).toContain(`0 Agents refuse what ${kid} signs`);
  expect(await medic('list', '--json')).toMatch(new RegExp(`"kid":"${kid}","state":"retired"`));
  expect(await medic('retire', '--jsno')).toContain('1 Agents accept no key "--jsno"');
  expect(await medic('retire', kid, '--json')).toContain(kid);
});
