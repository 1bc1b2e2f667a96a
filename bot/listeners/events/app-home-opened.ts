import type { App } from '@slack/bolt';
import { describeError } from '../../../services/slack/describe-error.ts';
import type { BotDeps } from '../../deps.ts';
import { publishHome } from '../../homes.ts';
import { identify } from '../../identify.ts';

/** Draws the Home tab for the person who opens it. */
export function listenToHome(app: App, deps: BotDeps): void {
  app.event('app_home_opened', async ({ event, body }) => {
    if (event.tab !== 'home') return;
    const slackUserId = event.user;
    const asker = await identify(deps, { userId: slackUserId, teamIds: [body.team_id] }, { tried: 'home' }).catch(
      (error: unknown) => describeError(error),
    );
    await publishHome(deps, 'sentence' in asker ? { slackUserId, sentence: asker.sentence } : { slackUserId, asker });
  });
}
