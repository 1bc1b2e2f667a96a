import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { PRIVATE_EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';
import { readBack } from './find-lost-post.ts';

/**
 * Of these messages to one person, those that stand in their conversation with the app although Slack's answer was lost,
 * by their numbers. Only those whose sending began are looked for. Needs two optional scopes; without them none is
 * found, as nobody can say. Rejects where Slack does not answer: then nothing may be sent yet.
 */
export async function findTold(
  deps: BotDeps,
  sought: { userId: string; entries: readonly OutboxEntry[] },
): Promise<ReadonlySet<number>> {
  const begun = sought.entries.filter(({ payload }) => payload['begun'] === true);
  const told = new Set<number>();
  if (begun.length === 0) return told;
  const channel = await findConversation(deps, sought.userId);
  if (channel === null) return told;
  const since = new Date(Math.min(...begun.map(({ payload }) => Number(payload['begun_ms'] ?? 0))));
  await readBack(deps, { channel, since }, (message) => {
    for (const id of readEntryIds(message)) told.add(id);
    return begun.every(({ id }) => told.has(id));
  });
  return told;
}

/** Null where the app may not ask, or the person cannot be written to; the sending itself says which. */
async function findConversation(deps: BotDeps, userId: string): Promise<string | null> {
  try {
    const { channel } = await deps.client.conversations.open({ users: userId });
    return channel?.id ?? null;
  } catch (error) {
    if (readSlackFailure(error).kind === 'refused') return null;
    throw error;
  }
}

function readEntryIds(message: object): number[] {
  const { metadata } = message as { metadata?: { event_type?: string; event_payload?: { entry_ids?: unknown } } };
  const ids = metadata?.event_type === PRIVATE_EVENT_TYPE ? metadata.event_payload?.entry_ids : undefined;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'number') : [];
}
