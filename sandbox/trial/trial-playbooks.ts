import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

export interface TrialPaths {
  /** The control command, the same for every trial server: playbooks with other words would have other digests. */
  controlCommand: string;
  /** Holds one folder of logs per server. */
  logsRoot: string;
}

/**
 * Writes the trial's playbooks into a folder: the control plane's and each server's own must hold the same ones.
 * Written once: what is there belongs to the person who tries things.
 */
export function writeTrialPlaybooks(dir: string, paths: TrialPaths): void {
  mkdirSync(dir, { recursive: true });
  for (const playbook of describePlaybooks(paths)) {
    const file = join(dir, `${playbook.name}.yaml`);
    if (!existsSync(file)) writeYaml(file, playbook);
  }
}

/** What this server's owner permits: its own services, its own logs. */
export function writeTrialAllow(
  dir: string,
  paths: TrialPaths & { server: string; services: readonly string[] },
): void {
  const logs = join(paths.logsRoot, paths.server);
  writeYaml(join(dir, 'allow.yaml'), {
    version: 1,
    allow: {
      'restart-service': { service: [...paths.services] },
      'check-service': { service: [...paths.services] },
      'drain-service': { service: [...paths.services] },
      'reset-service': { service: [...paths.services] },
      'clear-logs': { path: [logs, `${logs}/*`] },
      'fail-on-purpose': {},
    },
  });
}

/** `#!` cannot name a path with spaces, so a shell hands over; it passes each argument on as it is. */
export function writeControlCommand(file: string, trialDir: string): void {
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const script = join(import.meta.dirname, 'servicectl.ts');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, `#!/bin/sh\nexec ${[process.execPath, script, trialDir].map(quote).join(' ')} "$@"\n`);
  chmodSync(`${file}.tmp`, 0o755);
  renameSync(`${file}.tmp`, file);
}

function writeYaml(file: string, value: unknown): void {
  writeFileSync(`${file}.tmp`, stringify(value));
  renameSync(`${file}.tmp`, file); // the agent may be reading it
}

const SERVICE = { type: 'string', pattern: '[a-z0-9@._-]{1,64}', required: true };

function describePlaybooks(paths: TrialPaths) {
  const control = paths.controlCommand;
  return [
    {
      name: 'restart-service',
      title: 'Restart a service',
      description: 'Restarts one service and waits until it is active.',
      risk: 'low',
      params: { service: SERVICE },
      timeout: '60s',
      idempotent: true,
      steps: [{ run: [control, 'restart', '${service}'] }],
      verify: [{ run: [control, 'is-active', '--quiet', '${service}'], wait: { for: '10s', every: '1s' } }],
    },
    {
      name: 'check-service',
      title: 'Check a service',
      description: 'Tells whether one service is active, and since when.',
      risk: 'low',
      params: { service: SERVICE },
      timeout: '30s',
      idempotent: true,
      steps: [{ run: [control, 'status', '${service}'] }],
    },
    {
      name: 'clear-logs',
      title: 'Clear logs',
      description: 'Deletes the log files of a server and reports how much that freed.',
      risk: 'medium',
      params: { path: { type: 'path', within: [paths.logsRoot], required: true } },
      timeout: '60s',
      idempotent: true,
      steps: [{ uses: 'clear-logs', with: { path: '${path}' } }],
    },
    {
      name: 'drain-service',
      title: 'Drain and restart a service',
      description: 'Lets a service finish what it is doing, then stops it and starts it again.',
      risk: 'high',
      params: {
        service: SERVICE,
        how: { type: 'enum', values: ['graceful', 'immediate'], default: 'graceful' },
        seconds: { type: 'integer', min: 0, max: 30, default: 3 },
        verbose: { type: 'boolean', default: false },
      },
      timeout: '90s',
      idempotent: true,
      steps: [
        { run: [control, 'drain', '--how=${how}', '--seconds=${seconds}', '--verbose=${verbose}', '${service}'] },
        { run: [control, 'stop', '${service}'] },
        { run: [control, 'start', '${service}'] },
      ],
      verify: [{ run: [control, 'is-active', '--quiet', '${service}'], wait: { for: '10s', every: '1s' } }],
    },
    {
      name: 'reset-service',
      title: 'Reset a service',
      description: 'Stops a service, whatever it is doing, and starts it from nothing.',
      risk: 'critical',
      params: { service: SERVICE },
      timeout: '60s',
      idempotent: true,
      steps: [{ run: [control, 'stop', '${service}'] }, { run: [control, 'start', '${service}'] }],
      verify: [{ run: [control, 'is-active', '--quiet', '${service}'], wait: { for: '10s', every: '1s' } }],
    },
    {
      name: 'fail-on-purpose',
      title: 'Fail on purpose',
      description: 'Restarts a service that does not exist, to see what a failure looks like.',
      risk: 'low',
      timeout: '30s',
      idempotent: true,
      steps: [{ run: [control, 'restart', 'no-such-service'] }],
    },
  ];
}
