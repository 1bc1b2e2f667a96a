import { BOT_USER_ID } from './model.ts';
import type { DeliveryOutcome, SlackPerson, StoredMessage, StoredView } from './model.ts';
import type { Store } from './store.ts';

/**
 * Anybody but the app itself. Bots and people who are gone cannot click in Slack; here a test may play them all the
 * same, as a late or forged delivery would. Throws where there is no such person.
 */
export function personOf(store: Store, id: string): SlackPerson {
  const person = store.people.get(id);
  if (person === undefined || person.id === BOT_USER_ID) throw new Error(`There is no person ${id} in this workspace.`);
  return person;
}

/** The channel's id, if that person is in it: everybody is in every channel, but not in other people's direct messages. */
export function channelFor(store: Store, person: SlackPerson, id: string): string {
  const channel = store.channel(id);
  if (channel === undefined || (channel.im_user ?? person.id) !== person.id) {
    throw new Error(`${person.id} is in no channel ${id}.`);
  }
  return id;
}

/** The message, where that person can see it. */
export function messageFor(
  store: Store,
  person: SlackPerson,
  at: { channel: string; ts: string },
): StoredMessage | undefined {
  const message = store.message(at.channel, at.ts);
  if (message === undefined) return undefined;
  const owner = message.ephemeral_to ?? store.channel(message.channel)?.im_user;
  return owner === undefined || owner === person.id ? message : undefined;
}

export function viewFor(store: Store, person: SlackPerson, viewId: string): StoredView | undefined {
  const view = store.view(viewId);
  return view?.user === person.id ? view : undefined;
}

export function notThere(error: string): DeliveryOutcome {
  return { acknowledged: false, ms: 0, body: '', error };
}
