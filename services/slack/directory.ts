import type { Membership, Principal, Standing } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { findPrincipalBySlackUser } from './identity.ts';

/** What Slack says of one of its users. */
export interface SlackProfile {
  teamId: string | null;
  isBot: boolean;
  isGuest: boolean;
  isDeactivated: boolean;
  /** Of another workspace, or unknown to ours. */
  isStranger: boolean;
}

/**
 * Slack, as far as it decides who may. Answers may be up to 60 s old; both calls reject where Slack cannot be asked,
 * and then nobody is believed.
 */
export interface SlackDirectory {
  person(userId: string): Promise<SlackProfile>;
  /** Ids of its members; `unsupported` in a workspace whose plan has no user groups. */
  usergroupMembers(usergroupId: string): Promise<readonly string[] | 'unsupported'>;
}

type Deps = Pick<Context, 'config' | 'slackDirectory' | 'log'>;

/** What Slack says of a principal now. Never rejects: whom Slack cannot vouch for is `unproven`. */
export async function findStanding(ctx: Deps, principal: Principal): Promise<Standing> {
  const { slackUserId } = principal;
  if (slackUserId === null) return 'none';
  if (findPrincipalBySlackUser(ctx, slackUserId)?.name !== principal.name) return 'ambiguous';
  if (ctx.slackDirectory === null) return 'none';
  try {
    return standingOf(await ctx.slackDirectory.person(slackUserId));
  } catch (error) {
    ctx.log.warn({ err: error, slack_user_id: slackUserId }, 'Slack could not say who a person is; they are refused');
    return 'unproven';
  }
}

function standingOf(person: SlackProfile): Standing {
  if (person.isDeactivated) return 'deactivated';
  if (person.isStranger) return 'stranger';
  if (person.isBot) return 'bot';
  return person.isGuest ? 'guest' : 'member';
}

/**
 * Which of these groups the principal is in now. A group held in Slack is asked for there; its list in medic.yaml
 * counts only where there is no Slack or its plan has no user groups. Never rejects.
 */
export async function findMembership(
  ctx: Deps,
  principal: Principal,
  groups: readonly string[] | null,
): Promise<Membership> {
  const answers = await Promise.all(
    (groups ?? []).map(async (group) => ({ group, isMember: await isMember(ctx, principal, group) })),
  );
  return {
    groups: answers.filter(({ isMember: answer }) => answer === true).map(({ group }) => group),
    unproven: answers.filter(({ isMember: answer }) => answer === null).map(({ group }) => group),
  };
}

/** Null: Slack could not say. */
async function isMember(ctx: Deps, principal: Principal, name: string): Promise<boolean | null> {
  const usergroup = ctx.config.current().groups.get(name)?.slackUsergroup ?? null;
  const isListed = principal.groups.includes(name);
  if (usergroup === null || ctx.slackDirectory === null) return isListed;
  try {
    const members = await ctx.slackDirectory.usergroupMembers(usergroup);
    if (members === 'unsupported') return isListed;
    return principal.slackUserId !== null && members.includes(principal.slackUserId);
  } catch (error) {
    ctx.log.warn({ err: error, group: name, usergroup }, 'Slack could not say who is in a user group');
    return null;
  }
}
