import { areDistinctlyMatched } from './distinct-groups.ts';
import { matchesGlob } from './glob.ts';
import type { ActionStatus } from './lifecycle.ts';
import { isEnded } from './lifecycle.ts';
import type { Asker, Membership, Standing } from './principal.ts';
import { mayDo, rolesThatMay } from './roles.ts';

export type RiskLevel = 'low' | 'medium' | 'high' | 'critical';

export interface RuleCondition {
  paused?: boolean | undefined;
  risk?: readonly RiskLevel[] | undefined;
  playbook?: readonly string[] | undefined;
  server?: readonly string[] | undefined;
  tag?: readonly string[] | undefined;
}

/**
 * What the people of an action hear while it waits, `afterS` seconds after the request: a reminder in the thread, a
 * direct message to each who may decide, or a further group, which may decide from then on.
 */
export type EscalationStep = { afterS: number } & (
  { kind: 'thread' } | { kind: 'approvers' } | { kind: 'group'; group: string }
);

/** How an action is waited for, beside who must approve it. */
interface Terms {
  /** Each approval must come from another of the groups: people can be matched to groups, one to one. */
  distinctGroups: boolean;
  /** A request needs a reason. */
  isReasonRequired: boolean;
  /** Growing in `afterS`. */
  escalate: readonly EscalationStep[];
  /** How an action ends that nobody decided. Never approved. */
  onTimeout: 'expired' | 'rejected';
}

/** Where a rule says nothing of it. */
export const DEFAULT_TERMS: Terms = {
  distinctGroups: false,
  isReasonRequired: false,
  escalate: [],
  onTimeout: 'expired',
};

export interface ApprovalRule extends Terms {
  when: RuleCondition;
  approvals: number;
  /** Groups whose members may approve; null: every approver. */
  from: readonly string[] | null;
}

/** What an action needs; fixed when it is requested and stored whole with it. */
export interface Requirement extends Terms {
  approvals: number;
  from: readonly string[] | null;
  /** The sentence a person reads on the card. */
  text: string;
}

/** Where `rules` is missing in medic.yaml (contract §3). */
export const BUILT_IN_RULES: readonly ApprovalRule[] = [
  { ...DEFAULT_TERMS, when: { risk: ['high', 'critical'] }, approvals: 1, from: null },
  { ...DEFAULT_TERMS, when: { paused: true }, approvals: 1, from: null },
  { ...DEFAULT_TERMS, when: {}, approvals: 0, from: null },
];

export interface RequirementInput {
  rules: readonly ApprovalRule[];
  server: { name: string; tags: readonly string[]; isPaused: boolean };
  playbook: { name: string; risk: RiskLevel };
}

/**
 * The first rule that matches decides. A paused server needs at least one person whatever the rules say, and where
 * no rule matches one is needed: a gap in the rules never approves.
 */
export function findRequirement(input: RequirementInput): Requirement {
  const index = input.rules.findIndex((rule) => matchesRule(rule.when, input));
  const rule = input.rules[index];
  if (rule === undefined) {
    return { ...DEFAULT_TERMS, approvals: 1, from: null, text: 'No rule matches, so one person must approve.' };
  }
  const isRaised = input.server.isPaused && rule.approvals === 0;
  const approvals = isRaised ? 1 : rule.approvals;
  const why = isRaised ? `${input.server.name} is paused` : `rule ${index + 1} (${describeCondition(rule.when)})`;
  const { from, distinctGroups, isReasonRequired, escalate, onTimeout } = rule;
  const text = describeRequirement({ approvals, rule, why });
  return { approvals, from, text, distinctGroups, isReasonRequired, escalate, onTimeout };
}

function matchesRule(when: RuleCondition, { server, playbook }: RequirementInput): boolean {
  if (when.paused !== undefined && when.paused !== server.isPaused) return false;
  if (when.risk && !when.risk.includes(playbook.risk)) return false;
  if (when.playbook && !when.playbook.some((glob) => matchesGlob(glob, playbook.name))) return false;
  if (when.server && !when.server.some((glob) => matchesGlob(glob, server.name))) return false;
  if (when.tag && !when.tag.some((glob) => server.tags.some((tag) => matchesGlob(glob, tag)))) return false;
  return true;
}

function describeCondition(when: RuleCondition): string {
  const told = Object.entries(when)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(' or ') : String(value)}`);
  return told.length === 0 ? 'everything else' : told.join(', ');
}

function describeRequirement(input: { approvals: number; rule: ApprovalRule; why: string }): string {
  const { approvals, rule, why } = input;
  if (approvals === 0) return `Approved by auto: ${why}.`;
  const groups = rule.from?.join(' or ');
  const whom = groups === undefined ? 'with the role approver' : `of ${groups}`;
  const each = rule.distinctGroups ? ', each of another group' : '';
  return `${approvals === 1 ? 'One person' : `${approvals} people`} ${whom} must approve${each}: ${why}.`;
}

/** A stored requirement; what was requested before the terms existed has the default ones. */
export function readRequirement(stored: Partial<Requirement> | null, approvals: number): Requirement {
  return { ...DEFAULT_TERMS, from: null, text: '', ...stored, approvals };
}

/** When the step after the first `step` of the ladder is due; null where none is left, or nobody is waited for. */
export function escalationTime(requirement: Requirement, at: { requestedAt: Date; step: number }): Date | null {
  const next = requirement.escalate[at.step];
  if (next === undefined || requirement.approvals === 0) return null;
  return new Date(at.requestedAt.getTime() + next.afterS * 1000);
}

/** The groups that may approve once `escalationStep` steps of the ladder were taken; null: every approver. */
export function groupsThatMayApprove(requirement: Requirement, escalationStep: number): readonly string[] | null {
  if (requirement.from === null) return null;
  const taken = requirement.escalate.slice(0, escalationStep);
  const joined = taken.flatMap((step) => (step.kind === 'group' ? [step.group] : []));
  return [...new Set([...requirement.from, ...joined])];
}

export type DecisionKind = 'approve' | 'reject' | 'cancel';

export interface DecisionSubject {
  status: ActionStatus;
  requestedBy: string;
  /** Groups that may approve now, those that the ladder added included; null: every approver. */
  approvalFrom: readonly string[] | null;
  distinctGroups: boolean;
  /** Those that count already, with the groups each stood for. */
  approvals: readonly { by: string; groups: readonly string[] }[];
}

export interface DecisionQuestion {
  kind: DecisionKind;
  asker: Asker;
  action: DecisionSubject;
  /** Of those in `approvalFrom`, as it is at this moment. */
  membership: Membership;
  /** What Slack says of the person at this moment; `none` where they are nobody there or there is no Slack. */
  standing: Standing;
  /** An admin's approval past quorum, group and one-time code. */
  isBreakGlass?: boolean;
}

export type Judgement = { isAllowed: true } | { isAllowed: false; code: string; sentence: string };

/**
 * May this person decide this action now? Judged when they decide, by every way in alike. Says nothing of the end
 * state: that is told first, because it is true for everyone.
 */
export function judgeDecision(question: DecisionQuestion): Judgement {
  const { kind, asker, action } = question;
  const { name } = asker.principal;
  if (kind === 'cancel') return judgeCancel(asker, action);
  const person = judgeStanding(question.standing, kind); // who somebody is comes before what they may
  if (!person.isAllowed) return person;
  if (asker.roles.includes('automation') || !mayDo(asker.roles, 'actions.decide')) {
    const roles = rolesThatMay('actions.decide').join(' or ');
    return refuse('not_an_approver', `You may not ${kind} this: that takes the role ${roles}.`);
  }
  if (question.isBreakGlass === true && !mayDo(asker.roles, 'actions.break_glass')) {
    const roles = rolesThatMay('actions.break_glass').join(' or ');
    return refuse('not_an_admin', `You may not break the glass: that takes the role ${roles}.`);
  }
  if (name === action.requestedBy) {
    return refuse('own_request', `You asked for this yourself, so somebody else must ${kind} it.`);
  }
  const member = question.isBreakGlass === true ? ALLOWED : judgeMembership(question);
  if (!member.isAllowed) return member;
  if (action.approvals.some(({ by }) => by === name)) {
    return refuse('already_decided', 'You have already decided this action.');
  }
  return question.isBreakGlass === true ? ALLOWED : judgeDistinct(question);
}

const ALLOWED: Judgement = { isAllowed: true };

/** Never: bots, guests, the deactivated, people of another workspace, and whom Slack cannot vouch for now. */
export function judgeStanding(standing: Standing, what: string): Judgement {
  switch (standing) {
    case 'none':
    case 'member':
      return ALLOWED;
    case 'unproven': {
      const sentence = `Slack cannot say now who you are, so you may not ${what} this: nothing was done, try again.`;
      return refuse('slack_lookup_failed', sentence);
    }
    case 'ambiguous':
      return refuse(
        'slack_person_refused',
        `You may not ${what} this: your Slack id stands for two people in medic.yaml.`,
      );
    case 'bot':
      return refuse('slack_person_refused', `You may not ${what} this: a bot never decides.`);
    case 'guest':
      return refuse('slack_person_refused', `You may not ${what} this: guests of the workspace never decide.`);
    case 'deactivated':
      return refuse('slack_person_refused', `You may not ${what} this: your Slack account is deactivated.`);
    case 'stranger':
      return refuse('slack_person_refused', `You may not ${what} this: only people of this workspace decide.`);
  }
}

function judgeMembership({ kind, action, membership }: DecisionQuestion): Judgement {
  if (action.approvalFrom === null || membership.groups.length > 0) return ALLOWED;
  const groups = action.approvalFrom.join(' or ');
  if (membership.unproven.length === 0) {
    return refuse('not_in_group', `You may not ${kind} this: its rule wants someone of ${groups}.`);
  }
  const unproven = membership.unproven.join(' and ');
  const sentence = `Slack cannot say now who is in ${unproven}, so you may not ${kind} this: nothing was done, try again.`;
  return refuse('group_lookup_failed', sentence);
}

/** A rejection ends it, so only approvals have to come from different groups. */
function judgeDistinct({ kind, action, membership }: DecisionQuestion): Judgement {
  if (kind !== 'approve' || !action.distinctGroups) return ALLOWED;
  if (areDistinctlyMatched([...action.approvals.map(({ groups }) => groups), membership.groups])) return ALLOWED;
  const heard = action.approvals.map(({ by }) => by).join(' and ');
  const sentence = `You may not approve this as well: ${heard} spoke for ${membership.groups.join(' and ')}, and each approval must come from another group.`;
  return refuse('group_already_heard', sentence);
}

/** Cancelling takes an operator; withdrawing one's own request takes only the right to request. */
function judgeCancel(asker: Asker, action: DecisionSubject): Judgement {
  const isOwn = asker.principal.name === action.requestedBy && mayDo(asker.roles, 'actions.request');
  const isAutomation = asker.roles.includes('automation');
  if (mayDo(asker.roles, 'actions.cancel') || (isOwn && !isAutomation && !isEnded(action.status))) {
    return { isAllowed: true };
  }
  const roles = rolesThatMay('actions.cancel').join(' or ');
  return refuse('not_an_operator', `You may not cancel this: that takes the role ${roles}.`);
}

function refuse(code: string, sentence: string): Judgement {
  return { isAllowed: false, code, sentence };
}

/** What an approval has to carry beside the yes, in the order of a form's fields. */
export type Proof = 'confirm_server' | 'reason' | 'totp';

/** Breaking the glass takes a reason at any risk, and no code: it is for the night when nobody has theirs. */
export function listProofs(input: { risk: RiskLevel; isBreakGlass?: boolean }): Proof[] {
  const isBreakGlass = input.isBreakGlass === true;
  const isRisky = input.risk === 'high' || input.risk === 'critical';
  const proofs: Proof[] = isRisky ? ['confirm_server', 'reason'] : [];
  if (isBreakGlass && !isRisky) proofs.push('reason');
  if (input.risk === 'critical' && !isBreakGlass) proofs.push('totp');
  return proofs;
}
