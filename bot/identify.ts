import { NotAllowedError, UnavailableError } from '../domain/errors.ts';
import { judgeStanding } from '../domain/policy.ts';
import type { Asker, Principal } from '../domain/principal.ts';
import { findStanding } from '../services/slack/directory.ts';
import { askInSlack, findPrincipalBySlackUser } from '../services/slack/identity.ts';
import { recordRefusedAttempt } from '../services/slack/record-refused-attempt.ts';
import type { BotDeps } from './deps.ts';

/** Who a payload says has acted; proven by nothing yet. */
export interface Caller {
  userId: string;
  /** Every workspace that the payload names: of the app's installation and of the person. */
  teamIds: readonly (string | null | undefined)[];
}

/** Of a click, a form, a menu or a shortcut. */
export function callerOf(body: {
  user: { id: string; team_id?: string | undefined };
  team?: { id: string } | null | undefined;
}): Caller {
  return { userId: body.user.id, teamIds: [body.team?.id, body.user.team_id] };
}

/**
 * Who acts. Throws NotAllowedError `foreign_workspace`, `unknown_person` or `slack_person_refused` (a bot, a guest,
 * somebody deactivated or of elsewhere), each kept in the audit; UnavailableError where Slack could not say which
 * workspace is ours or who this is: then nobody is believed.
 */
export async function identify(
  deps: BotDeps,
  caller: Caller,
  attempt: { tried: string; actionId?: string | undefined },
): Promise<Asker> {
  const ours = await deps.workspace.teamId().catch((cause: unknown) => {
    throw new UnavailableError('Slack could not tell which workspace this is, so nothing was done: try again.', {
      code: 'workspace_unknown',
      cause,
    });
  });
  const teamIds = caller.teamIds.filter((id) => id !== null && id !== undefined);
  if (teamIds.length === 0 || teamIds.some((id) => id !== ours)) {
    await recordRefusedAttempt(deps.ctx, { slackUserId: caller.userId, code: 'foreign_workspace', ...attempt });
    throw new NotAllowedError('Only people of this workspace may do this; nothing was done.', {
      code: 'foreign_workspace',
    });
  }
  const principal = findPrincipalBySlackUser(deps.ctx, caller.userId);
  if (principal !== null) {
    await checkStanding(deps, principal, { userId: caller.userId, ...attempt });
    return askInSlack(principal);
  }
  await recordRefusedAttempt(deps.ctx, { slackUserId: caller.userId, code: 'unknown_person', ...attempt });
  throw new NotAllowedError(
    `Medic does not know you (Slack id ${caller.userId}), so nothing was done. Whoever runs Medic can add you to medic.yaml.`,
    { code: 'unknown_person' },
  );
}

async function checkStanding(
  deps: BotDeps,
  principal: Principal,
  attempt: { userId: string; tried: string; actionId?: string | undefined },
): Promise<void> {
  const judgement = judgeStanding(await findStanding(deps.ctx, principal), 'do');
  if (judgement.isAllowed) return;
  const { code, sentence } = judgement;
  const { userId: slackUserId, ...rest } = attempt;
  await recordRefusedAttempt(deps.ctx, { slackUserId, code, actor: principal.name, ...rest });
  if (code === 'slack_lookup_failed') throw new UnavailableError(sentence, { code });
  throw new NotAllowedError(sentence, { code });
}
