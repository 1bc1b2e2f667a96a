import type { ActionStatus } from './lifecycle.ts';
import { isEnded } from './lifecycle.ts';
import type { Asker } from './principal.ts';
import { mayDo, rolesThatMay } from './roles.ts';

export type RiskLevel = 'low' | 'medium' | 'high' | 'critical';

export interface RuleCondition {
  paused?: boolean | undefined;
  risk?: readonly RiskLevel[] | undefined;
  playbook?: readonly string[] | undefined;
  server?: readonly string[] | undefined;
  tag?: readonly string[] | undefined;
}

export interface ApprovalRule {
  when: RuleCondition;
  approvals: number;
  /** Groups whose members may approve; null: every approver. */
  from: readonly string[] | null;
}

/** What an action needs; fixed when it is requested. */
export interface Requirement {
  approvals: number;
  from: readonly string[] | null;
  /** The sentence a person reads on the card. */
  text: string;
}

/** Where `rules` is missing in medic.yaml (contract §3). */
export const BUILT_IN_RULES: readonly ApprovalRule[] = [
  { when: { risk: ['high', 'critical'] }, approvals: 1, from: null },
  { when: { paused: true }, approvals: 1, from: null },
  { when: {}, approvals: 0, from: null },
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
    return { approvals: 1, from: null, text: 'No rule matches, so one person must approve.' };
  }
  const isRaised = input.server.isPaused && rule.approvals === 0;
  const approvals = isRaised ? 1 : rule.approvals;
  const why = isRaised ? `${input.server.name} is paused` : `rule ${index + 1} (${describeCondition(rule.when)})`;
  return { approvals, from: rule.from, text: describeRequirement(approvals, rule.from, why) };
}

function matchesRule(when: RuleCondition, { server, playbook }: RequirementInput): boolean {
  if (when.paused !== undefined && when.paused !== server.isPaused) return false;
  if (when.risk && !when.risk.includes(playbook.risk)) return false;
  if (when.playbook && !when.playbook.some((glob) => matchesGlob(glob, playbook.name))) return false;
  if (when.server && !when.server.some((glob) => matchesGlob(glob, server.name))) return false;
  if (when.tag && !when.tag.some((glob) => server.tags.some((tag) => matchesGlob(glob, tag)))) return false;
  return true;
}

/** `*` stands for any run of characters; everything else for itself. */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return glob === text;
  const last = parts.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > text.length - last.length) return false;
    from = at + part.length;
  }
  return true;
}

function describeCondition(when: RuleCondition): string {
  const told = Object.entries(when)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(' or ') : String(value)}`);
  return told.length === 0 ? 'everything else' : told.join(', ');
}

function describeRequirement(approvals: number, from: readonly string[] | null, why: string): string {
  if (approvals === 0) return `Approved by auto: ${why}.`;
  const whom = from === null ? 'with the role approver' : `of ${from.join(' or ')}`;
  return `${approvals === 1 ? 'One person' : `${approvals} people`} ${whom} must approve: ${why}.`;
}

export type DecisionKind = 'approve' | 'reject' | 'cancel';

export interface DecisionSubject {
  status: ActionStatus;
  requestedBy: string;
  approvalFrom: readonly string[] | null;
  /** Names of those whose decision already counts. */
  decidedBy: readonly string[];
}

export type Judgement = { isAllowed: true } | { isAllowed: false; code: string; sentence: string };

/**
 * May this person decide this action now? Judged at the click, by every way in alike. Says nothing of the end
 * state: that is told first, because it is true for everyone.
 */
export function judgeDecision(input: { kind: DecisionKind; asker: Asker; action: DecisionSubject }): Judgement {
  const { kind, asker, action } = input;
  const { name } = asker.principal;
  if (kind === 'cancel') return judgeCancel(asker, action);
  if (asker.roles.includes('automation') || !mayDo(asker.roles, 'actions.decide')) {
    const roles = rolesThatMay('actions.decide').join(' or ');
    return refuse('not_an_approver', `You may not ${kind} this: that takes the role ${roles}.`);
  }
  if (name === action.requestedBy) {
    return refuse('own_request', `You asked for this yourself, so somebody else must ${kind} it.`);
  }
  const isMember = action.approvalFrom?.some((group) => asker.principal.groups.includes(group)) ?? true;
  if (!isMember) {
    const groups = action.approvalFrom?.join(' or ') ?? '';
    return refuse('not_in_group', `You may not ${kind} this: its rule wants someone of ${groups}.`);
  }
  if (action.decidedBy.includes(name)) return refuse('already_decided', 'You have already decided this action.');
  return { isAllowed: true };
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
