import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHAIN_START, hashEvent } from '../../protocol/audit-chain.ts';
import { cleanEnvironment } from '../support/start-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GUIDE = readFileSync(join(ROOT, 'docs', 'guides', 'write-a-playbook.md'), 'utf8');

function takeBlock(title: string): string {
  const block = new RegExp(`^\`\`\`[a-z]+ title="${title}"\n([^]*?)^\`\`\`$`, 'm').exec(GUIDE);
  if (block?.[1] === undefined) throw new Error(`The guide has no block ${title}`);
  return block[1];
}

/** The arguments of a command that the guide shows behind its prompt. */
function takeCommand(start: string): string[] {
  const line = GUIDE.split('\n').find((text) => text.startsWith(`$ ./bin/medic ${start}`));
  if (line === undefined) throw new Error(`The guide does not show ${start}`);
  return line.slice('$ ./bin/medic '.length).split(' ');
}

describe('medic playbook and medic slack, offline', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'medic-cli-'));
    mkdirSync(join(folder, 'playbooks'));
    writeFileSync(join(folder, 'playbooks', 'reload-nginx.yaml'), takeBlock('reload-nginx.yaml'));
    writeFileSync(join(folder, 'broken.yaml'), takeBlock('broken.yaml'));
    writeFileSync(join(folder, 'reload-nginx.yaml'), takeBlock('reload-nginx.yaml'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function medic(args: readonly string[], env: Record<string, string> = {}) {
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [join(ROOT, 'bin', 'medic'), ...args],
        { cwd: folder, env: { ...cleanEnvironment(), ...env } },
        (_, stdout, stderr) => {
          resolve({ code: child.exitCode ?? -1, stdout, stderr });
        },
      );
    });
  }

  test('validates the playbook of the guide and tells its digest', async () => {
    const { code, stdout } = await medic(takeCommand('playbook validate'));
    expect(stdout).toMatch(/^reload-nginx\.yaml: reload-nginx sha256:[0-9a-f]{64}\n$/);
    expect(code).toBe(0);
  });

  test('verifies a log whose reasons hold line separators, which are no ends of lines', async () => {
    const event = { seq: 1, actor: 'ana', data: { reason: 'a\u2028b\u2029c\u0085d' }, prev: CHAIN_START };
    writeFileSync(join(folder, 'audit.jsonl'), `${JSON.stringify({ ...event, hash: hashEvent(event) })}\n`);
    const { code, stdout } = await medic(['audit', 'verify', 'audit.jsonl']);
    expect(stdout).toMatch(/^Intact: 1 events/);
    expect(code).toBe(0);
  });

  test('tells every mistake of the broken playbook as the guide shows them', async () => {
    const { code, stdout } = await medic(['playbook', 'validate', 'broken.yaml']);
    expect(stdout).toBe(takeBlock('mistakes'));
    expect(code).toBe(1);
  });

  test('prints the argv that the guide shows', async () => {
    const { code, stdout } = await medic(takeCommand('playbook run'), { MEDIC_CONFIG: folder });
    expect(stdout).toBe(takeBlock('argv'));
    expect(code).toBe(0);
  });

  test('starts no playbook', async () => {
    const { code, stderr } = await medic(['playbook', 'run', 'reload-nginx.yaml', 'service=nginx']);
    expect(stderr).toContain('dry_run_only');
    expect(code).toBe(2);
  });

  test('lists the shipped playbooks with their digests', async () => {
    const { stdout } = await medic(['playbook', 'list', '--json']);
    const listed = JSON.parse(stdout) as { name: string; digest: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['check-service', 'clear-logs', 'restart-service']);
    expect(listed.every(({ digest }) => digest.startsWith('sha256:'))).toBe(true);
  });

  test('answers an unknown playbook with the nearest one', async () => {
    const { code, stderr } = await medic(['playbook', 'show', 'restart-servce']);
    expect(stderr).toContain('Did you mean "restart-service"?');
    expect(code).toBe(2);
  });

  test('prints a manifest for Socket Mode, and wants an address for HTTP', async () => {
    const socket = await medic(['slack', 'manifest']);
    expect(JSON.parse(socket.stdout)).toMatchObject({ settings: { socket_mode_enabled: true } });
    const http = await medic(['slack', 'manifest', '--mode', 'http']);
    expect(http.stderr).toContain('url_missing');
    expect(http.code).toBe(2);
  });

  test.each([
    [['action', 'list'], 'MEDIC_URL'],
    [['audit', 'export'], 'MEDIC_TOKEN'],
    [['server'], 'TEMPORAL_ADDRESS'],
    [['migrate', 'status'], 'DATABASE_URL'],
    [['token', 'list'], 'DATABASE_URL'],
    [['agent', 'run'], 'MEDIC_CONTROL_PLANE_URL'],
  ])('%j without its settings is wrong use, and names what is not set', async (args, name) => {
    const { code, stderr } = await medic(args);
    expect(stderr).toContain(`${name} is not set`);
    expect(code).toBe(2);
  });

  test('a setting that is there and wrong is a failure', async () => {
    const { code, stderr } = await medic(['action', 'list'], { MEDIC_URL: 'nowhere' });
    expect(stderr).toContain('malformed_setting');
    expect(code).toBe(1);
  });

  test('doctor names what is not set and ends with 1', async () => {
    const { code, stdout } = await medic(['doctor', '--json']);
    const findings = JSON.parse(stdout) as { check: string; ok: boolean; message: string }[];
    expect(findings.find(({ check }) => check === 'database')).toMatchObject({
      ok: false,
      message: 'DATABASE_URL is not set.',
    });
    expect(code).toBe(1);
  });
});
