import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from '../support/start-process.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'medic');
const STEPS = ['setup', 'auto_approve', 'approve', 'failure', 'reject', 'expire', 'audit', 'teardown'];

/** Listens where somebody's database or Slack would be, and counts who calls. */
async function openTrap(): Promise<{ port: number; calls(): number; close(): Promise<void> }> {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls: () => calls,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe('npm run demo', () => {
  test('plays every step, and leaves a configured database, Temporal and Slack untouched', async () => {
    const trap = await openTrap();
    const child = spawn(process.execPath, [BIN, 'demo', '--json'], {
      cwd: tmpdir(),
      env: {
        ...cleanEnvironment(),
        DATABASE_URL: `postgres://somebody@127.0.0.1:${trap.port}/production`,
        TEMPORAL_ADDRESS: `127.0.0.1:${trap.port}`,
        SLACK_BOT_TOKEN: 'xoxb-production',
        SLACK_APP_TOKEN: 'xapp-production',
        SLACK_API_URL: `http://127.0.0.1:${trap.port}/api/`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    await trap.close();
    const lines = out.trim().split('\n');
    const steps = lines.map((line) => JSON.parse(line) as { step: string; ok: boolean; ms: number });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ step }) => step)).toEqual(STEPS);
    expect(exitCode).toBe(0);
    expect(trap.calls()).toBe(0);
    expect(told).toContain('DATABASE_URL');
  }, 180_000);
});
