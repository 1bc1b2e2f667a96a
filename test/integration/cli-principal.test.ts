import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from 'uqr';
import { openSecret } from '../../services/totp/sealed-secret.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { cleanEnvironment } from '../support/start-process.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'medic');
const KEY = Buffer.alloc(32, 9);
const RUN_MS = 60_000; // a process each, on busy cores

let db: TestDatabase;
let folder: string;
beforeAll(async () => {
  db = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'medic-principal-'));
  writeFileSync(join(folder, 'medic.yaml'), 'version: 1\nprincipals:\n  bob: { roles: [approver] }\n');
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true, force: true });
});

function medic(
  args: readonly string[],
  secretsKey?: Buffer,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    ...cleanEnvironment(),
    DATABASE_URL: db.url,
    MEDIC_CONFIG: folder,
    ...(secretsKey === undefined ? {} : { MEDIC_SECRETS_KEY: secretsKey.toString('base64') }),
  };
  const child = spawn(process.execPath, [BIN, ...args], { cwd: tmpdir(), env, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (run.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (run.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? -1, ...run });
    });
  });
}

async function readSecret(): Promise<string | null> {
  const { rows } = await db.database.pool.query<{ secret: string }>('select secret from principal_totps');
  return openSecret({ key: KEY, owner: 'bob', sealed: rows[0]?.secret ?? '' });
}

/** The modules that are drawn, two rows of them in each line; true is dark. */
function readModules(lines: readonly string[]): boolean[][] {
  const dark: Readonly<Record<string, [boolean, boolean]>> = {
    '█': [false, false],
    '▀': [false, true],
    '▄': [true, false],
    ' ': [true, true],
  };
  return lines.flatMap((line) => [0, 1].map((half) => [...line].map((cell) => dark[cell]?.[half] ?? false)));
}

describe('medic principal totp', () => {
  test(
    'shows the secret once, as a QR code and as text, and stores it encrypted',
    async () => {
      const { code, stdout } = await medic(['principal', 'totp', 'bob'], KEY);
      expect(code).toBe(0);
      const uri = stdout.split('\n').find((line) => line.startsWith('otpauth://')) ?? '';
      const secret = new URL(uri).searchParams.get('secret') ?? '';
      expect(stdout.replaceAll(' ', '')).toContain(`secret:${secret}`);
      expect(await readSecret()).toBe(secret);
      expect(stdout).not.toContain('\u001b'); // no colours where no terminal reads them
      const drawn = readModules(stdout.split('\n').filter((line) => /^[█▀▄ ]{20,}$/.test(line)));
      const { data, size } = encode(uri, { border: 4 });
      expect(drawn.slice(0, size)).toEqual(data);
      const { rows } = await db.database.pool.query<{ body: string }>('select body from audit_events order by seq');
      const told = rows.map(({ body }) => body).join('\n');
      expect(told).toContain('"event":"principal.totp_enrolled"');
      expect(told).not.toContain(secret);
    },
    RUN_MS,
  );

  test(
    'keeps the codes that there are, unless it is told to replace them',
    async () => {
      const before = await readSecret();
      const again = await medic(['principal', 'totp', 'bob'], KEY);
      expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('(totp_enrolled)') });
      expect(await readSecret()).toBe(before);
      const replaced = await medic(['principal', 'totp', 'bob', '--replace', '--json'], KEY);
      const made = JSON.parse(replaced.stdout) as { principal: string; secret: string; uri: string };
      expect(made).toMatchObject({ principal: 'bob', uri: expect.stringMatching(/^otpauth:/) });
      expect(made.secret).not.toBe(before);
      expect(await readSecret()).toBe(made.secret);
    },
    RUN_MS,
  );

  test(
    'says what is wrong in one sentence',
    async () => {
      const nobody = await medic(['principal', 'totp', 'bobb'], KEY);
      expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "bob"?') });
      const keyless = await medic(['principal', 'totp', 'bob', '--replace']);
      expect(keyless).toMatchObject({ code: 2, stderr: expect.stringContaining('MEDIC_SECRETS_KEY is not set') });
      for (const { stderr } of [nobody, keyless]) expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    },
    RUN_MS,
  );
});
