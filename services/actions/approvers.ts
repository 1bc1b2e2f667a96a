import type { Judgement, Requirement } from '../../domain/policy.ts';
import { judgeDecision } from '../../domain/policy.ts';
import type { Principal } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { findMembership, findStanding } from '../slack/directory.ts';
import type { ApprovalView } from './action-view.ts';

export interface ApprovalSubject {
  requestedBy: string;
  requirement: Requirement;
  /** Groups that may approve now, by the ladder too; by default those of the requirement. */
  approvalFrom?: readonly string[] | null;
  approvals?: readonly Pick<ApprovalView, 'by' | 'groups'>[];
}

type Deps = Pick<Context, 'config' | 'slackDirectory' | 'log'>;

/**
 * Who may approve this now: role, group, not the requester, not decided yet, and vouched for by Slack where they
 * are somebody there. Whom Slack cannot vouch for is left out, as where they decide. An ActionView is a subject.
 */
export async function listApprovers(ctx: Deps, subject: ApprovalSubject): Promise<Principal[]> {
  const people = [...ctx.config.current().principals.values()];
  const judgements = await Promise.all(people.map((person) => judgeApprover(ctx, subject, person)));
  return people.filter((_person, index) => judgements[index]?.isAllowed === true);
}

/** May this one approve it now? In Slack, with all of their roles. */
export async function mayApprove(ctx: Deps, subject: ApprovalSubject, principal: Principal): Promise<boolean> {
  return (await judgeApprover(ctx, subject, principal)).isAllowed;
}

/** Whether this principal may approve now, with all of their roles, and if not why: as judgeDecision says it. */
export async function judgeApprover(ctx: Deps, subject: ApprovalSubject, principal: Principal): Promise<Judgement> {
  const { requirement, requestedBy, approvals = [] } = subject;
  const { distinctGroups } = requirement;
  const approvalFrom = subject.approvalFrom === undefined ? requirement.from : subject.approvalFrom;
  const asker = { principal, roles: principal.roles, via: 'slack' as const };
  const action = { status: 'pending' as const, requestedBy, approvalFrom, distinctGroups, approvals };
  const hopeful = judgeDecision({
    kind: 'approve',
    asker,
    action: { ...action, approvalFrom: null, distinctGroups: false },
    membership: { groups: [], unproven: [] },
    standing: 'none',
  });
  if (!hopeful.isAllowed) return hopeful; // spares Slack a question about everyone who may not anyway
  const [standing, membership] = await Promise.all([
    findStanding(ctx, principal),
    findMembership(ctx, principal, approvalFrom),
  ]);
  return judgeDecision({ kind: 'approve', asker, action, membership, standing });
}
