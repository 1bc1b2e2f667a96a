import type { Requirement } from '../../domain/policy.ts';
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

/**
 * Who may approve this now: role, group, not the requester, not decided yet, and vouched for by Slack where they
 * are somebody there. Whom Slack cannot vouch for is left out, as at a click. An ActionView is a subject.
 */
export async function listApprovers(
  ctx: Pick<Context, 'config' | 'slackDirectory' | 'log'>,
  subject: ApprovalSubject,
): Promise<Principal[]> {
  const people = [...ctx.config.current().principals.values()];
  const answers = await Promise.all(people.map((person) => mayApprove(ctx, subject, person)));
  return people.filter((_person, index) => answers[index] === true);
}

/** May this one approve it now? In Slack, with all of their roles. */
export async function mayApprove(
  ctx: Pick<Context, 'config' | 'slackDirectory' | 'log'>,
  subject: ApprovalSubject,
  principal: Principal,
): Promise<boolean> {
  const { requirement, requestedBy, approvals = [] } = subject;
  const approvalFrom = subject.approvalFrom === undefined ? requirement.from : subject.approvalFrom;
  const question = {
    kind: 'approve' as const,
    asker: { principal, roles: principal.roles, via: 'slack' as const },
    action: {
      status: 'pending' as const,
      requestedBy,
      approvalFrom,
      distinctGroups: requirement.distinctGroups,
      approvals,
    },
  };
  const isHopeless = !judgeDecision({
    ...question,
    action: { ...question.action, approvalFrom: null, distinctGroups: false },
    membership: { groups: [], unproven: [] },
    standing: 'none',
  }).isAllowed;
  if (isHopeless) return false; // spares Slack a question about everyone who may not anyway
  const [standing, membership] = await Promise.all([
    findStanding(ctx, principal),
    findMembership(ctx, principal, approvalFrom),
  ]);
  return judgeDecision({ ...question, standing, membership }).isAllowed;
}
