import type { App } from '@slack/bolt';
import type { BotDeps } from '../deps.ts';
import { listenToActions } from './actions/index.ts';
import { listenToCommands } from './commands/index.ts';
import { listenToEvents } from './events/index.ts';
import { listenToOptions } from './options/index.ts';
import { listenToShortcuts } from './shortcuts/index.ts';
import { listenToViews } from './views/index.ts';

/** Everything that Slack may send and we answer. */
export function listen(app: App, deps: BotDeps): void {
  listenToCommands(app, deps);
  listenToActions(app, deps);
  listenToViews(app, deps);
  listenToEvents(app, deps);
  listenToOptions(app, deps);
  listenToShortcuts(app, deps);
}
