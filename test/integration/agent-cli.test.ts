import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askPolkit } from '../../agent/ask-polkit.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';

const NOWHERE = 'http://127.0.0.1:9';
const RESTART = `name: restart-service
title: Restart a service
risk: low
params:
  service: { type: string, pattern: "[a-z0-9@._-]{1,64}", required: true }
timeout: 60s
steps:
  - run: [/opt/none/systemctl, restart, "\${service}"]
`;

let home: AgentHome;
beforeEach(() => {
  home = createAgentHome();
});
afterEach(() => home.remove());
const medic = (...args: string[]) => home.run(args, NOWHERE);

describe('medic agent', () => {
  test('allow writes what check then finds permitted, and polkit prints rules for exactly that', async () => {
    home.writePlaybook('restart-service', RESTART);
    expect(await medic('check', '--json')).toMatchObject({ code: 1, stdout: expect.stringContaining('allow.yaml') });
    const allowed = await medic('allow', 'restart-service', 'service=nginx,app-*');
    expect(allowed).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(home.playbookDir, 'allow.yaml'), 'utf8')).toContain('nginx');
    const check = await medic('check');
    expect(check.code).toBe(1);
    expect(check.stdout).toContain('restart-service: cannot run here\n  The program /opt/none/systemctl is not there.');
    const polkit = await medic('polkit', '--user', 'medic', '--json');
    const { user, grants } = JSON.parse(polkit.stdout) as { user: string; grants: unknown };
    expect({ user, grants }).toEqual({
      user: 'medic',
      grants: [{ verb: 'restart', units: ['^app-[A-Za-z0-9:_.@-]*\\.service$', '^nginx\\.service$'] }],
    });
  });

  test('the polkit rules say yes to nothing else', async () => {
    home.writePlaybook('restart-service', RESTART);
    await medic('allow', 'restart-service', 'service=nginx,app-*');
    const { stdout } = await medic('polkit', '--user', 'medic');
    const ask = (verb: string, unit: string, user = 'medic', id = 'org.freedesktop.systemd1.manage-units'): unknown => {
      const rules: ((action: unknown, subject: unknown) => unknown)[] = [];
      const polkit = { Result: { YES: 'yes', NOT_HANDLED: 'not handled' }, addRule: (rule: never) => rules.push(rule) };
      new Function('polkit', stdout)(polkit);
      const facts: Record<string, string> = { verb, unit };
      return rules[0]?.({ id, lookup: (name: string) => facts[name] }, { user });
    };
    expect(ask('restart', 'nginx.service')).toBe('yes');
    expect(ask('restart', 'app-web.service')).toBe('yes');
    for (const refused of [
      ask('stop', 'nginx.service'),
      ask('restart', 'nginx.service', 'other'),
      ask('restart', 'xnginx.service'),
      ask('restart', 'nginx_service'),
      ask('restart', 'app-/etc.service'),
      ask('constructor', 'nginx.service'),
      ask('restart', 'nginx.service', 'medic', 'org.freedesktop.systemd1.manage-unit-files'),
    ]) {
      expect(refused).toBe('not handled');
    }
  });

  test.each([
    [['chek'], 2, 'medic agent: "chek" is no command of the agent. Did you mean "check"? See --help.\n'],
    [['allow'], 2, 'medic agent: Say which playbook: `allow PLAYBOOK key=value …`.\n'],
    [['allow', 'restart-servce'], 2, 'restart-service'],
    [['allow', 'restart-service', 'servce=x'], 2, 'service'],
    [['allow', 'restart-service', 'service'], 2, 'must be key=value'],
    [['check', '--user', 'no-such-user-here'], 2, 'This machine has no user "no-such-user-here".'],
    [['run'], 1, 'This server is not enrolled'],
    [['enroll', '--token', 't'], 1, 'The control plane cannot be reached'],
    [['enroll'], 2, 'Say which token'],
  ])('%j ends with %d and one sentence', async (args, code, sentence) => {
    home.writePlaybook('restart-service', RESTART);
    const run = await medic(...args);
    expect(run.stderr).toContain(sentence);
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('polkit', () => {
  /** Stands in for polkit, which is outside: says yes to nginx alone. */
  function writePkcheck(body: string): string {
    const path = join(home.folder, 'pkcheck');
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const units = [
    { verb: 'restart', unit: 'nginx.service' },
    { verb: 'restart', unit: 'app-*.service' },
  ];

  test('is asked for each unit and verb about a process of the user', async () => {
    const pkcheck = writePkcheck(
      'case "$*" in *"--detail unit nginx.service --detail verb restart") ;; *) exit 2;; esac',
    );
    const answers = await askPolkit(units, { ...self, pkcheck });
    expect(answers.map((answer) => answer.verdict)).toEqual(['permitted', 'forbidden']);
  });

  test('that does not answer or is not there leaves the question open, with the reason', async () => {
    const pkcheck = writePkcheck('echo "Error: no bus" >&2; exit 127');
    const [silent] = await askPolkit(units, { ...self, pkcheck });
    expect(silent).toMatchObject({ verdict: 'unknown', why: 'polkit does not answer (Error: no bus)' });
    const [absent] = await askPolkit(units, { ...self, pkcheck: join(home.folder, 'none') });
    expect(absent).toMatchObject({ verdict: 'unknown', why: 'polkit is not installed' });
  });
});
