import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTrialServers, type TrialServers } from '../../sandbox/trial/trial-servers.ts';
import { runStarter, waitUntilNoneUses } from '../support/stack-process.ts';

const SERVERS = [
  { name: 'web-1', services: ['shop'] },
  { name: 'web-2', services: ['billing'] },
];

let folder: string;
let trial: TrialServers | undefined;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'medic trial ')));
});

afterEach(async () => {
  await trial?.stop();
  trial = undefined;
  expect(await waitUntilNoneUses(folder)).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

/** As an agent runs it: by its absolute path, with nothing in the environment. */
function control(servers: TrialServers, ...args: string[]): { status: number | null; said: string } {
  const run = spawnSync(servers.paths.controlCommand, args, { env: {}, encoding: 'utf8' });
  return { status: run.status, said: (run.stdout + run.stderr).trim() };
}

describe('the trial servers', () => {
  test.each(['kill', 'hang'] as const)('stay broken after a %s until they are restarted', async (how) => {
    trial = await startTrialServers({ dir: folder, servers: SERVERS });
    expect(await trial.isHealthy('shop')).toBe(true);
    await trial.breakService('shop', how);
    expect([await trial.isHealthy('shop'), await trial.isHealthy('billing')]).toEqual([false, true]);
    expect(control(trial, 'restart', 'shop')).toEqual({ status: 0, said: '' });
    expect(await trial.isHealthy('shop')).toBe(true);
  });

  test("answer with systemctl's exit codes", async () => {
    trial = await startTrialServers({ dir: folder, servers: SERVERS });
    expect(control(trial, 'is-active', 'shop')).toEqual({ status: 0, said: 'active' });
    expect(control(trial, 'status', 'shop.service').said).toMatch(/Active: active since .*\n Main PID: \d+/);
    expect(control(trial, 'stop', 'shop').status).toBe(0);
    expect(control(trial, 'is-active', '--quiet', 'shop')).toEqual({ status: 3, said: '' });
    await trial.breakService('billing', 'kill');
    expect(control(trial, 'is-active', 'billing')).toEqual({ status: 3, said: 'failed' });
    expect(control(trial, 'status', 'nope').status).toBe(4);
    expect(control(trial, 'restart', 'nope')).toEqual({
      status: 5,
      said: 'Failed to restart nope.service: Unit nope.service not found.',
    });
    expect(control(trial, 'reboot', 'shop').status).toBe(1);
  });

  test('hold the same playbooks, and permit each its own services', async () => {
    trial = await startTrialServers({ dir: folder, servers: SERVERS });
    const [first, second] = trial.servers.map(
      (server) => (name: string) => readFileSync(join(server.playbookDir, name), 'utf8'),
    );
    for (const name of ['restart-service', 'check-service', 'clear-logs', 'fail-on-purpose']) {
      expect(first?.(`${name}.yaml`)).toBe(second?.(`${name}.yaml`));
    }
    expect(first?.('allow.yaml')).toMatch(/- shop/);
    expect(second?.('allow.yaml')).not.toMatch(/- shop/);
    expect(statSync(join(folder, 'supervisor.sock')).mode & 0o777).toBe(0o600);
  });

  test('refuse a service name that another server has', async () => {
    const servers = [...SERVERS, { name: 'web-3', services: ['shop'] }];
    await expect(startTrialServers({ dir: folder, servers })).rejects.toThrow('Name one shop@web-3.');
  });

  test('end with the one who started them, also when it is killed, and start again', async () => {
    const killed = runStarter('trial', folder);
    await killed.ready;
    await killed.end('SIGKILL');
    trial = await startTrialServers({ dir: folder, servers: SERVERS });
    expect(await trial.isHealthy('shop')).toBe(true);
  });
});
