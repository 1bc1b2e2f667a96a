import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../domain/limits.ts';
import { BUILT_IN_RULES, DEFAULT_TERMS } from '../../domain/policy.ts';
import { openConfigStore } from '../../services/config/config-store.ts';
import { parseMedicYaml } from '../../services/config/parse-medic-yaml.ts';

const GOOD = `version: 1
approval_timeout: 5m
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [operator, approver] }
  robot: { roles: [automation] }
groups:
  sre: [bob]
rules:
  - when: { risk: [high, critical], server: ["db-*"] }
    approvals: 2
    from: [sre]
  - when: { paused: true }
    approvals: 1
  - approvals: 0
`;

function problemsOf(text: string): string[] {
  return parseMedicYaml({ file: 'medic.yaml', text }).problems.map(
    ({ line, column, code }) => `${line}:${column} ${code}`,
  );
}

describe('medic.yaml', () => {
  test('is read whole, with the groups of each principal', () => {
    const { value, problems } = parseMedicYaml({ file: 'medic.yaml', text: GOOD });
    expect(problems).toEqual([]);
    expect(value?.principals.get('bob')).toEqual({
      name: 'bob',
      roles: ['operator', 'approver'],
      slackUserId: 'U0BOB',
      groups: ['sre'],
    });
    expect(value?.principals.get('robot')?.slackUserId).toBeNull();
    expect(value).toMatchObject({ approvalTimeoutMs: 300_000, startWithinMs: 3_600_000 });
    expect(value?.rules).toEqual([
      { ...DEFAULT_TERMS, when: { risk: ['high', 'critical'], server: ['db-*'] }, approvals: 2, from: ['sre'] },
      { ...DEFAULT_TERMS, when: { paused: true }, approvals: 1, from: null },
      { ...DEFAULT_TERMS, when: {}, approvals: 0, from: null },
    ]);
  });

  test('without rules the built-in ones hold', () => {
    expect(parseMedicYaml({ file: 'f', text: 'version: 1\n' }).value?.rules).toBe(BUILT_IN_RULES);
    expect(parseMedicYaml({ file: 'f', text: 'version: 1\nrules: []\n' }).value?.rules).toEqual([]);
  });

  test('limits are as it says, and the others as they were', () => {
    expect(parseMedicYaml({ file: 'f', text: 'version: 1\n' }).value?.limits).toEqual(DEFAULT_LIMITS);
    const text = `version: 1
limits:
  waiting_per_server: 20
  requests_per_minute: 30
  cooldown: { restart_service: 10m, "*": 0s }
  output: 16KiB
  params: 512B
  hold_back_after: { "check-*": 0, "*": 3 }
  executing: 5
  executing_per_tag: 25%
`;
    const { value, problems } = parseMedicYaml({ file: 'f', text });
    expect(problems).toEqual([]);
    expect(value?.limits).toEqual({
      ...DEFAULT_LIMITS,
      waitingPerServer: 20,
      requestsPerMinute: 30,
      cooldowns: [
        { playbook: 'restart-service', ms: 600_000 },
        { playbook: '*', ms: 0 },
      ],
      holdBacks: [
        { playbook: 'check-*', failures: 0 },
        { playbook: '*', failures: 3 },
      ],
      outputBytes: 16_384,
      paramsBytes: 512,
      executing: 5,
      executingPerTag: 25,
    });
    const single = parseMedicYaml({ file: 'f', text: 'version: 1\nlimits: { cooldown: 5m }\n' });
    expect(single.value?.limits.cooldowns).toEqual([{ playbook: '*', ms: 300_000 }]);
    const once = parseMedicYaml({ file: 'f', text: 'version: 1\nlimits: { hold_back_after: 5 }\n' });
    expect(once.value?.limits.holdBacks).toEqual([{ playbook: '*', failures: 5 }]);
  });

  test('a limit that is none, or past what can be, is told with its place', () => {
    const text = `version: 1
limits:
  waiting: 0
  waiting_per_servr: 5
  requests_per_minute: many
  cooldown: 31d
  params: 1MiB
  output: 65KiB
  body: 1KiB
  executing: 1.5
  executing_per_tag: 0%
  hold_back_after: 1001
`;
    expect(problemsOf(text)).toEqual([
      '3:12 invalid_value',
      '4:3 unknown_key',
      '5:24 invalid_type',
      '6:13 invalid_duration',
      '7:11 invalid_value',
      '8:11 invalid_value',
      '9:9 invalid_value',
      '10:14 ambiguous_yaml',
      '11:22 invalid_value',
      '12:20 invalid_value',
    ]);
    expect(problemsOf('version: 1\nlimits: none\n')).toEqual(['2:9 invalid_type']);
  });

  test('a rule that would let a paused server run without a person is an error', () => {
    const text = 'version: 1\nrules:\n  - when: { paused: true, risk: [low] }\n    approvals: 0\n';
    expect(problemsOf(text)).toEqual(['4:16 paused_without_person']);
  });

  test('every mistake is told at once, with its place and the nearest known word', () => {
    const text = `version: 2
aproval_timeout: 30m
start_within: soon
principals:
  auto: { roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [operater] }
  eve: { slack_user_id: U0BOB, roles: [] }
groups:
  sre: [bobb]
rules:
  - when: { tags: [web] }
    approvals: 99
    from: [ser]
`;
    expect(problemsOf(text)).toEqual([
      '1:10 unknown_version',
      '2:1 unknown_key',
      '3:15 invalid_duration',
      '5:3 reserved_name',
      '6:40 unknown_role',
      '7:25 duplicate_slack_user',
      '7:39 missing_role',
      '9:9 unknown_principal',
      '11:13 unknown_key',
      '12:16 invalid_value',
      '13:12 unknown_group',
    ]);
    const { problems } = parseMedicYaml({ file: 'medic.yaml', text });
    const told = problems.map(({ message }) => message).join('\n');
    for (const word of ['approval_timeout', 'operator', 'bob', 'tag', 'sre']) {
      expect(told).toContain(`Did you mean "${word}"?`);
    }
  });

  test('a group may be held in Slack, and a rule may say how it is waited for', () => {
    const text = `version: 1
principals:
  bob: { roles: [approver] }
groups:
  sre: [bob]
  dba: { slack_usergroup: S0DBA, members: [bob] }
  managers: { slack_usergroup: S0BOSS }
rules:
  - when: { risk: [critical] }
    approvals: 2
    from: [sre, dba]
    distinct_groups: true
    reason: required
    escalate:
      - { after: 10m, remind: thread }
      - { after: 15m, tell: approvers }
      - { after: 20m, group: managers }
    on_timeout: rejected
  - approvals: 1
`;
    const { value, problems } = parseMedicYaml({ file: 'medic.yaml', text });
    expect(problems).toEqual([]);
    expect(value?.groups.get('dba')).toEqual({ slackUsergroup: 'S0DBA', members: ['bob'] });
    expect(value?.groups.get('managers')).toEqual({ slackUsergroup: 'S0BOSS', members: [] });
    expect(value?.principals.get('bob')?.groups).toEqual(['sre', 'dba']);
    expect(value?.rules[0]).toMatchObject({
      distinctGroups: true,
      isReasonRequired: true,
      onTimeout: 'rejected',
      escalate: [
        { afterS: 600, kind: 'thread' },
        { afterS: 900, kind: 'approvers' },
        { afterS: 1200, kind: 'group', group: 'managers' },
      ],
    });
    expect(value?.rules[1]).toEqual({ ...DEFAULT_TERMS, when: {}, approvals: 1, from: null });
  });

  test('what of it makes no sense is told', () => {
    const text = `version: 1
approval_timeout: 10m
groups:
  dba: { slack_usergroup: "dba", memebers: [] }
rules:
  - approvals: 2
    from: [dba]
    distinct_groups: true
    reason: maybe
    on_timeout: approved
    escalate:
      - { after: 5m, remind: thread, tell: approvers }
      - { after: 5m }
      - { after: 6m, remind: channel }
      - { after: 4m, tell: approvers }
      - { after: 3m, group: dbas }
      - { after: 10m, remind: thread }
  - approvals: 0
    escalate: []
    on_timeout: rejected
`;
    expect(problemsOf(text)).toEqual([
      '4:27 invalid_value',
      '4:34 unknown_key',
      '8:22 too_few_groups',
      '9:13 invalid_value',
      '10:17 invalid_value',
      '12:9 invalid_step',
      '13:9 invalid_step',
      '14:30 invalid_value',
      '16:9 steps_out_of_order',
      '16:29 unknown_group',
      '17:18 step_too_late',
      '19:15 useless_key',
      '20:17 useless_key',
    ]);
  });

  test('what is no YAML, or another shape, is told and not thrown', () => {
    for (const text of [
      '',
      '- a\n',
      'version: [',
      'version: 1\nprincipals: [ana]\n',
      'version: 1\ngroups: 3\nrules: x\n',
    ]) {
      expect(problemsOf(text).length).toBeGreaterThan(0);
    }
  });
});

describe('the configuration', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'medic-config-'));
    writeFileSync(join(directory, 'medic.yaml'), GOOD);
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('a broken file at reload is told and the old set stays; a mended one takes its place', async () => {
    const digests: string[] = [];
    const onLoaded = (_config: unknown, digest: string): Promise<void> => Promise.resolve(void digests.push(digest));
    const store = await openConfigStore({ directory, onLoaded });
    const first = store.current();
    writeFileSync(join(directory, 'medic.yaml'), GOOD.replace('roles: [automation]', 'roles: [automat]'));
    expect(await store.reload()).toMatchObject({
      isReloaded: false,
      problems: [{ line: 6, code: 'unknown_role', file: join(directory, 'medic.yaml') }],
    });
    expect(store.current()).toBe(first);
    writeFileSync(join(directory, 'medic.yaml'), GOOD.replace('5m', '6m'));
    expect(await store.reload()).toEqual({ isReloaded: true });
    expect(store.current().approvalTimeoutMs).toBe(360_000);
    expect(new Set(digests).size).toBe(2);
  });

  test('a set that cannot be recorded does not count', async () => {
    let isDown = false;
    const store = await openConfigStore({
      directory,
      onLoaded: () => (isDown ? Promise.reject(new Error('away')) : Promise.resolve()),
    });
    const first = store.current();
    isDown = true;
    await expect(store.reload()).rejects.toThrow('away');
    expect(store.current()).toBe(first);
    isDown = false;
    expect(await store.reload()).toEqual({ isReloaded: true });
  });

  test('an own playbook takes the place of the shipped one of that name', async () => {
    mkdirSync(join(directory, 'playbooks'));
    const own = `name: check-service
title: Another check
risk: critical
timeout: 5s
steps:
  - run: [/bin/true]
`;
    writeFileSync(join(directory, 'playbooks', 'check-service.yaml'), own);
    const { playbooks } = (await openConfigStore({ directory })).current();
    expect(playbooks.get('check-service')?.risk).toBe('critical');
    expect(playbooks.has('restart-service')).toBe(true);
    writeFileSync(join(directory, 'playbooks', 'check-service.yaml'), own.replace('risk', 'risc'));
    await expect(openConfigStore({ directory })).rejects.toMatchObject({ code: 'invalid_config' });
  });

  test('a directory that is away, or holds no medic.yaml, stops the start; none at all has no principals', async () => {
    await expect(openConfigStore({ directory: join(directory, 'away') })).rejects.toThrow(/must name a directory/);
    await expect(openConfigStore({ directory: tmpdir() })).rejects.toMatchObject({ code: 'invalid_config' });
    const { principals, rules, playbooks } = (await openConfigStore({ directory: null })).current();
    expect(principals.size).toBe(0);
    expect(rules).toBe(BUILT_IN_RULES);
    expect(playbooks.size).toBeGreaterThan(0);
  });
});
