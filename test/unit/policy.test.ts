import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ApprovalRule, DecisionSubject } from '../../domain/policy.ts';
import { areDistinctlyMatched } from '../../domain/distinct-groups.ts';
import { matchesGlob } from '../../domain/glob.ts';
import {
  BUILT_IN_RULES,
  DEFAULT_TERMS,
  findRequirement,
  groupsThatMayApprove,
  judgeDecision,
  listProofs,
} from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import { ROLES, mayDo, rolesThatMay } from '../../domain/roles.ts';
import type { Role } from '../../domain/roles.ts';

const server = { name: 'web-1', tags: ['web', 'eu'], isPaused: false };
const playbook = { name: 'restart-service', risk: 'low' as const };
const paused = { ...server, isPaused: true };

describe('what an action needs', () => {
  test('the first rule that matches decides, and all its conditions must match', () => {
    const rules: ApprovalRule[] = [
      { ...DEFAULT_TERMS, when: { playbook: ['restart-*'], server: ['db-*'] }, approvals: 3, from: null },
      { ...DEFAULT_TERMS, when: { tag: ['eu'] }, approvals: 2, from: ['sre'] },
      { ...DEFAULT_TERMS, when: {}, approvals: 0, from: null },
    ];
    expect(findRequirement({ rules, server, playbook })).toMatchObject({ approvals: 2, from: ['sre'] });
    expect(findRequirement({ rules, server: { ...server, name: 'db-1' }, playbook }).approvals).toBe(3);
    expect(findRequirement({ rules, server: { ...server, tags: [] }, playbook }).approvals).toBe(0);
  });

  test('where no rule matches one person is needed', () => {
    expect(findRequirement({ rules: [], server, playbook })).toMatchObject({ approvals: 1, from: null });
  });

  test('the built-in rules: auto on a normal server, a person where it is paused or the risk is high', () => {
    const needs = (input: { isPaused: boolean; risk: 'low' | 'high' }) =>
      findRequirement({
        rules: BUILT_IN_RULES,
        server: { ...server, isPaused: input.isPaused },
        playbook: { ...playbook, risk: input.risk },
      }).approvals;
    expect(needs({ isPaused: false, risk: 'low' })).toBe(0);
    expect(needs({ isPaused: true, risk: 'low' })).toBe(1);
    expect(needs({ isPaused: false, risk: 'high' })).toBe(1);
  });

  test('a paused server never runs without a person, whatever the rules say', () => {
    const condition = fc.record(
      {
        paused: fc.boolean(),
        risk: fc.subarray(['low', 'medium', 'high', 'critical'] as const),
        playbook: fc.array(fc.constantFrom('*', 'restart-*', 'x')),
        server: fc.array(fc.constantFrom('*', 'web-*', 'x')),
        tag: fc.array(fc.constantFrom('*', 'eu', 'x')),
      },
      { requiredKeys: [] },
    );
    const rule = fc
      .record({ when: condition, approvals: fc.integer({ min: 0, max: 3 }), from: fc.constant(null) })
      .map((given) => ({ ...DEFAULT_TERMS, ...given }));
    fc.assert(
      fc.property(fc.array(rule), (rules) => {
        expect(findRequirement({ rules, server: paused, playbook }).approvals).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('globs match the whole name, and only * is special', () => {
    expect(matchesGlob('web-*', 'web-1')).toBe(true);
    expect(matchesGlob('web-*', 'my-web-1')).toBe(false);
    expect(matchesGlob('*-eu-*', 'web-eu-1')).toBe(true);
    expect(matchesGlob('a*a', 'a')).toBe(false);
    expect(matchesGlob('w.b', 'web')).toBe(false);
    expect(matchesGlob('*', '')).toBe(true);
    expect(matchesGlob('a*bc*c', 'abcc')).toBe(true);
    expect(matchesGlob('a*bc*cc', 'abcc')).toBe(false);
  });
});

function asker(name: string, roles: readonly Role[], groups: readonly string[] = []): Asker {
  return { principal: { name, roles, slackUserId: null, groups }, roles, via: 'api' };
}
const pending: DecisionSubject = {
  status: 'pending',
  requestedBy: 'ana',
  approvalFrom: null,
  distinctGroups: false,
  approvals: [],
};
const judge = (kind: 'approve' | 'reject' | 'cancel', who: Asker, action: Partial<DecisionSubject> = {}) => {
  const asked = { ...pending, ...action };
  const groups = who.principal.groups.filter((group) => asked.approvalFrom?.includes(group));
  const membership = { groups, unproven: [] };
  const judgement = judgeDecision({ kind, asker: who, action: asked, membership, standing: 'member' });
  return judgement.isAllowed ? 'allowed' : judgement.code;
};

describe('who may decide', () => {
  test('approvers and admins, nobody else', () => {
    const allowed = ROLES.filter((role) => judge('approve', asker('bob', [role])) === 'allowed');
    expect(allowed.toSorted()).toEqual(['admin', 'approver']);
  });

  test('never on their own request, an admin neither', () => {
    for (const role of ['approver', 'admin'] as const) {
      expect(judge('approve', asker('ana', [role]))).toBe('own_request');
      expect(judge('reject', asker('ana', [role]))).toBe('own_request');
    }
  });

  test('never with an automation’s role, even beside others', () => {
    expect(judge('approve', asker('bob', ['approver', 'automation']))).toBe('not_an_approver');
  });

  test('once a person, and only of the groups that the rule names', () => {
    expect(judge('approve', asker('bob', ['approver']), { approvals: [{ by: 'bob', groups: [] }] })).toBe(
      'already_decided',
    );
    expect(judge('approve', asker('bob', ['approver'], ['dba']), { approvalFrom: ['sre'] })).toBe('not_in_group');
    expect(judge('approve', asker('bob', ['approver'], ['sre']), { approvalFrom: ['sre'] })).toBe('allowed');
  });

  test('an operator cancels, a requester withdraws their own', () => {
    expect(judge('cancel', asker('bob', ['operator']))).toBe('allowed');
    expect(judge('cancel', asker('bob', ['approver']))).toBe('not_an_operator');
    expect(judge('cancel', asker('ana', ['viewer']))).toBe('not_an_operator');
    expect(judge('cancel', asker('ana', ['automation']))).toBe('not_an_operator');
  });
});

describe('approvals of different groups', () => {
  const judgeDistinct = (earlier: string[][], mine: string[]): boolean =>
    judgeDecision({
      kind: 'approve',
      asker: asker('zoe', ['approver']),
      action: {
        ...pending,
        approvalFrom: ['a', 'b', 'c'],
        distinctGroups: true,
        approvals: earlier.map((groups, index) => ({ by: `p${index}`, groups })),
      },
      membership: { groups: mine, unproven: [] },
      standing: 'member',
    }).isAllowed;

  test('count where people can be matched to groups, in whatever order they came', () => {
    expect(judgeDistinct([], ['a'])).toBe(true);
    expect(judgeDistinct([['a']], ['a'])).toBe(false);
    expect(judgeDistinct([['a', 'b']], ['a'])).toBe(true);
    expect(
      judgeDistinct(
        [
          ['a', 'b'],
          ['a', 'c'],
        ],
        ['a'],
      ),
    ).toBe(true);
    expect(
      judgeDistinct(
        [
          ['a', 'b'],
          ['a', 'b'],
        ],
        ['a'],
      ),
    ).toBe(false);
  });

  test('are matched exactly where some assignment of different groups exists (1,000 crowds)', () => {
    const canAssign = ([first, ...rest]: string[][], taken: readonly string[]): boolean =>
      first === undefined || first.some((group) => !taken.includes(group) && canAssign(rest, [...taken, group]));
    const person = fc.subarray(['a', 'b', 'c', 'd', 'e']);
    fc.assert(
      fc.property(fc.array(person, { maxLength: 6 }), (people) => {
        expect(areDistinctlyMatched(people)).toBe(canAssign(people, []));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what an approval has to carry', () => {
  test('grows with the risk; breaking the glass asks for a reason and no code', () => {
    const isBreakGlass = true;
    expect(listProofs({ risk: 'low' })).toEqual([]);
    expect(listProofs({ risk: 'medium' })).toEqual([]);
    expect(listProofs({ risk: 'high' })).toEqual(['confirm_server', 'reason']);
    expect(listProofs({ risk: 'critical' })).toEqual(['confirm_server', 'reason', 'totp']);
    expect(listProofs({ risk: 'low', isBreakGlass })).toEqual(['reason']);
    expect(listProofs({ risk: 'critical', isBreakGlass })).toEqual(['confirm_server', 'reason']);
  });
});

describe('the ladder', () => {
  test('adds its groups to those who may, step by step, and nobody where everyone may', () => {
    const escalate = [
      { afterS: 1, kind: 'thread' as const },
      { afterS: 2, kind: 'group' as const, group: 'managers' },
    ];
    const requirement = { ...DEFAULT_TERMS, approvals: 1, from: ['sre'], text: '', escalate };
    expect([0, 1, 2].map((step) => groupsThatMayApprove(requirement, step))).toEqual([
      ['sre'],
      ['sre'],
      ['sre', 'managers'],
    ]);
    expect(groupsThatMayApprove({ ...requirement, from: null }, 2)).toBeNull();
  });
});

describe('roles', () => {
  test('contain each other only as the contract says', () => {
    expect(rolesThatMay('servers.read')).toEqual(['viewer', 'operator', 'approver', 'auditor', 'admin']);
    expect(rolesThatMay('actions.request')).toEqual(['operator', 'automation', 'admin']);
    expect(rolesThatMay('audit.read')).toEqual(['auditor', 'admin']);
    expect(rolesThatMay('tokens.manage')).toEqual(['admin']);
    expect(mayDo(['viewer', 'auditor'], 'audit.read')).toBe(true);
    expect(mayDo([], 'servers.read')).toBe(false);
  });
});
