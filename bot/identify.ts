import { NotAllowedError, UnavailableError } from '../domain/errors.ts';
import type { Asker } from '../domain/principal.ts';
import { askInSlack, findPrincipalBySlackUser } from '../services/slack/identity.ts';
import { recordRefusedAttempt } from '../services/slack/record-refused-attempt.ts';
import type { BotDeps } from './deps.ts';

export interface SlackPerson {
  userId: string;
  /** Every workspace that the payload names: of the app's installation and of the person. */
  teamIds: readonly (string | null | undefined)[];
}

/**
 * Who acts. Throws NotAllowedError `foreign_workspace` or `unknown_person`, each kept in the audit; UnavailableError
 * where Slack could not say which workspace is ours: then nobody is believed.
 */
export async function identify(
  deps: BotDeps,
  person: SlackPerson,
  attempt: { tried: string; actionId?: string | undefined },
): Promise<Asker> {
  const ours = await deps.workspace.teamId().catch((cause: unknown) => {
    throw new UnavailableError('Slack could not tell which workspace this is, so nothing was done: try again.', {
      code: 'workspace_unknown',
      cause,
    });
  });
  const teamIds = person.teamIds.filter((id) => id !== null && id !== undefined);
  if (teamIds.length === 0 || teamIds.some((id) => id !== ours)) {
    await recordRefusedAttempt(deps.ctx, { slackUserId: person.userId, code: 'foreign_workspace', ...attempt });
    throw new NotAllowedError('Only people of this workspace may do this; nothing was done.', {
      code: 'foreign_workspace',
    });
  }
  const principal = findPrincipalBySlackUser(deps.ctx, person.userId);
  if (principal !== null) return askInSlack(principal);
  await recordRefusedAttempt(deps.ctx, { slackUserId: person.userId, code: 'unknown_person', ...attempt });
  throw new NotAllowedError(
    `Medic does not know you (Slack id ${person.userId}), so nothing was done. Whoever runs Medic can add you to medic.yaml.`,
    { code: 'unknown_person' },
  );
}
