import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { takePort } from '../../sandbox/ports.ts';
import { startMedicProcess } from '../support/medic-process.ts';
import type { MedicProcess } from '../support/medic-process.ts';
import { poll } from '../support/poll.ts';

const START_MS = 180_000; // a database and a Temporal service of its own, on busy cores
const LIMIT_MS = 10_000; // contract §2

let folder = '';
let up: MedicProcess | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medic-up-'));
});
afterEach(async () => {
  await up?.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}, START_MS);

test(
  'medic up tells where everything is and how to make a token, and ends in time',
  async () => {
    const { port } = await takePort();
    const config = join(folder, 'config');
    mkdirSync(config);
    writeFileSync(join(config, 'medic.yaml'), 'version: 1\nprincipals:\n  root: { roles: [admin] }\n');
    const settings = { MEDIC_LISTEN: `127.0.0.1:${port}`, MEDIC_CONFIG: config, MEDIC_LOG_LEVEL: 'warn' };
    const running = startMedicProcess(['up', '--data', join(folder, 'data')], settings);
    up = running;
    const printed = await poll('medic up to be ready', () => readReady(running), { timeoutMs: START_MS });
    expect(printed).toContain(`control plane  http://127.0.0.1:${port}\n`);
    expect(printed).toMatch(/^Temporal +127\.0\.0\.1:\d+$/m);
    expect(printed).toMatch(
      process.getuid?.() === 0 ? /^PostgreSQL .*files in \//m : /^PostgreSQL +127\.0\.0\.1:\d+$/m,
    );
    expect(printed).toContain(`data           ${join(folder, 'data')}\n`);

    const token = await runHint(printed);
    const client = { MEDIC_URL: `http://127.0.0.1:${port}`, MEDIC_TOKEN: token };
    const listed = startMedicProcess(['servers', 'list', '--json'], client);
    expect([await listed.ended, listed.printed()]).toEqual([0, '{"items":[]}\n']);

    const askedAt = performance.now();
    await running.kill('SIGTERM');
    expect(await running.ended).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(LIMIT_MS);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  },
  START_MS,
);

async function readReady(running: MedicProcess): Promise<string | null> {
  const end = await Promise.race([running.ended, Promise.resolve('running')]);
  if (end !== 'running') throw new Error(`medic up ended with ${String(end)}: ${running.printed()}`);
  return /^data .*\n/m.test(running.printed()) ? running.printed() : null;
}

/** The line as a person copies it, with NAME and ROLE filled in. */
async function runHint(printed: string): Promise<string> {
  const [, line = ''] = /^make a token +(.*)$/m.exec(printed) ?? [];
  const words = line.replace('NAME', 'root').replace('ROLE', 'admin').split(' ');
  const env = Object.fromEntries(words.slice(0, 2).map((word) => word.split(/=(.*)/s).slice(0, 2)));
  const made = startMedicProcess(words.slice(3), env as Record<string, string>);
  expect(await made.ended).toBe(0);
  return made.printed().trim();
}
