import type { App } from '@slack/bolt';
import type { BotDeps } from '../../deps.ts';
import { listenToAsk } from './ask.ts';
import { listenToAskMessage } from './ask-message.ts';

export function listenToShortcuts(app: App, deps: BotDeps): void {
  listenToAsk(app, deps);
  listenToAskMessage(app, deps);
}
