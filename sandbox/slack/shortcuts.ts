import type { InstalledApp } from './app-manifest.ts';
import type { Dispatcher } from './delivery/dispatcher.ts';
import type { ResponseUrls } from './delivery/response-urls.ts';
import type { Triggers } from './delivery/triggers.ts';
import { messageFor, notThere, personOf } from './members.ts';
import type { DeliveryOutcome } from './model.ts';
import { globalShortcutPayload, messageShortcutPayload } from './payloads.ts';
import type { Store } from './store.ts';

interface Parts {
  store: Store;
  dispatcher: Dispatcher;
  triggers: Triggers;
  responseUrls: ResponseUrls;
  app: InstalledApp | undefined;
}

/** From the composer or the search: it knows no channel. */
export async function useGlobalShortcut(
  { store, dispatcher, triggers, app }: Parts,
  input: { user: string; callbackId: string; triggerId?: string },
): Promise<DeliveryOutcome> {
  const person = personOf(store, input.user);
  if (!isKnown(app, 'global', input.callbackId)) return notThere('shortcut_not_found');
  const triggerId = triggers.mint(person.id, input.triggerId);
  return dispatcher.deliver('interactive', globalShortcutPayload(store, { ...input, person, triggerId }));
}

/** From the menu of a message that everybody sees; Slack offers none on private ones. */
export async function useMessageShortcut(
  { store, dispatcher, triggers, responseUrls, app }: Parts,
  input: { user: string; channel: string; ts: string; callbackId: string; triggerId?: string },
): Promise<DeliveryOutcome> {
  const person = personOf(store, input.user);
  if (!isKnown(app, 'message', input.callbackId)) return notThere('shortcut_not_found');
  const message = messageFor(store, person, input);
  if (message === undefined || message.ephemeral_to !== undefined) return notThere('message_not_found');
  const triggerId = triggers.mint(person.id, input.triggerId);
  const responseUrl = responseUrls.mint({ user: person.id, channel: message.channel, ts: message.ts });
  const payload = messageShortcutPayload(store, { ...input, person, message, triggerId, responseUrl });
  return dispatcher.deliver('interactive', payload);
}

function isKnown(app: InstalledApp | undefined, type: 'global' | 'message', callbackId: string): boolean {
  return app?.shortcuts.some((one) => one.type === type && one.callbackId === callbackId) ?? true;
}
