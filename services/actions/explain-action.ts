import type { Asker, Principal, Standing } from '../../domain/principal.ts';
import { mayDo, rolesThatMay } from '../../domain/roles.ts';
import type { Context } from '../context.ts';
import { findStanding } from '../slack/directory.ts';
import type { ActionView, ApprovalView } from './action-view.ts';
import { judgeApprover } from './approvers.ts';
import { describeEnd } from './describe-end.ts';
import { describeWait } from './describe-wait.ts';
import { getAction } from './read-actions.ts';

export interface ActionExplanation {
  action: ActionView;
  /** Why it needs whom, as a sentence. */
  rule: string;
  /** What has become of it, as a sentence; null while it waits for people. */
  end: string | null;
  /** Approved: what holds up its start, as a sentence; null where nothing does. */
  waits: string | null;
  /** Names of those who may approve now; none once it waits no more. */
  may: string[];
  has: ApprovalView[];
  /** Those whom somebody may have expected to, each with the rest of a sentence: "asked for it". */
  couldNot: { name: string; sentence: string }[];
}

/**
 * The rule, who may, who has, who could not and why, as it is at this moment. Throws `action_not_found` and what
 * reading throws.
 */
export async function explainAction(ctx: Context, asker: Asker, id: string): Promise<ActionExplanation> {
  const action = await getAction(ctx, asker, id);
  const isWaiting = action.status === 'pending';
  const people = [...ctx.config.current().principals.values()].filter((person) => isExpected(person, action));
  const judged = await Promise.all(
    people.map(async (person) => ({
      name: person.name,
      judgement: await judgeApprover(ctx, action, person),
      standing: await findStanding(ctx, person),
    })),
  );
  return {
    action,
    rule: action.approvalRule,
    end: isWaiting ? null : describeEnd(action),
    waits: describeWait(action),
    may: judged.filter(({ judgement }) => isWaiting && judgement.isAllowed).map(({ name }) => name),
    has: action.approvals,
    couldNot: judged.flatMap(({ name, judgement, standing }) => {
      if (judgement.isAllowed || judgement.code === 'already_decided') return [];
      return [{ name, sentence: describeRefusal({ code: judgement.code, action, standing }) }];
    }),
  };
}

/** Everyone who decides at all, who is of the rule's groups, or who asked; not the whole of medic.yaml. */
function isExpected(person: Principal, action: ActionView): boolean {
  const isListed = action.approvalFrom?.some((group) => person.groups.includes(group)) ?? false;
  return isListed || person.name === action.requestedBy || mayDo(person.roles, 'actions.decide');
}

const REFUSED: Partial<Record<Standing, string>> = {
  bot: 'is a bot in Slack',
  guest: 'is a guest in Slack',
  deactivated: 'is deactivated in Slack',
  stranger: 'is of another workspace in Slack',
  ambiguous: 'shares a Slack id with another principal',
};

/** As the rest of a sentence that begins with the name. */
function describeRefusal(refusal: { code: string; action: ActionView; standing: Standing }): string {
  const { code, action, standing } = refusal;
  const groups = action.approvalFrom?.join(' or ') ?? '';
  switch (code) {
    case 'own_request':
      return 'asked for it';
    case 'not_an_approver':
      return `does not have the role ${rolesThatMay('actions.decide').join(' or ')}`;
    case 'not_in_group':
      return `is not of ${groups}`;
    case 'group_already_heard':
      return `is of a group that ${action.approvals.map(({ by }) => by).join(' and ')} spoke for already`;
    case 'group_lookup_failed':
      return `may be of ${groups}, but Slack cannot say now`;
    case 'slack_lookup_failed':
      return 'is somebody of whom Slack cannot say now who they are';
    case 'slack_person_refused':
      return REFUSED[standing] ?? 'is no full member of this workspace in Slack';
    default:
      return `may not (${code})`;
  }
}
