import type { App } from '@slack/bolt';
import type { HomeView } from '@slack/types';
import { listActions } from '../../../services/actions/read-actions.ts';
import { listServers } from '../../../services/servers/read-servers.ts';
import { describeError } from '../../../services/slack/describe-error.ts';
import { createClosedHome, createHome } from '../../blocks/home.ts';
import type { BotDeps } from '../../deps.ts';
import { identify } from '../../identify.ts';

/** Draws the Home tab for the person who opens it. */
export function listenToHome(app: App, deps: BotDeps): void {
  app.event('app_home_opened', async ({ event, body }) => {
    if (event.tab !== 'home') return;
    const view = await createHomeFor(deps, { userId: event.user, teamIds: [body.team_id] });
    await deps.client.views.publish({ user_id: event.user, view });
  });
}

async function createHomeFor(deps: BotDeps, person: Parameters<typeof identify>[1]): Promise<HomeView> {
  try {
    const asker = await identify(deps, person, { tried: 'home' });
    const [pending, servers] = await Promise.all([
      listActions(deps.ctx, asker, { status: 'pending', limit: 20 }),
      listServers(deps.ctx, asker, {}),
    ]);
    const waiting = pending.items.filter(({ approvalsRequired }) => approvalsRequired > 0);
    return createHome({ pending: waiting, servers: servers.items });
  } catch (error) {
    return createClosedHome(describeError(error).sentence);
  }
}
