import type { App, GlobalShortcut } from '@slack/bolt';
import { SHORTCUTS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { answer } from '../../tell.ts';
import { openRequestForm } from '../commands/open-form.ts';

/** "Ask for a repair", from anywhere: there is no channel, so what comes of it is told where the cards stand. */
export function listenToAsk(app: App, deps: BotDeps): void {
  app.shortcut<GlobalShortcut>({ type: 'shortcut', callback_id: SHORTCUTS.ask }, async ({ ack, shortcut }) => {
    await ack();
    const { channel } = deps;
    const userId = shortcut.user.id;
    await answer(deps, { channel, userId }, async () => {
      const asker = await identify(deps, callerOf(shortcut), { tried: 'shortcut' });
      await openRequestForm(deps, { asker, userId, channel, triggerId: shortcut.trigger_id });
      return null;
    });
  });
}
