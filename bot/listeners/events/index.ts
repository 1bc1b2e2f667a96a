import type { App } from '@slack/bolt';
import type { BotDeps } from '../../deps.ts';
import { listenToHome } from './app-home-opened.ts';

export function listenToEvents(app: App, deps: BotDeps): void {
  listenToHome(app, deps);
}
