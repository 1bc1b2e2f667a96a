import { findActionView } from '../../services/actions/read-actions.ts';
import { readHalt } from '../../services/halts/read-halts.ts';
import { forgetIntent, noteIntent } from '../../services/slack/outbox.ts';
import { createHaltNews } from '../blocks/halt.ts';
import { createHeldBackNews } from '../blocks/held-back.ts';
import { createJournalNews } from '../blocks/journal-damage.ts';
import type { News } from '../blocks/message.ts';
import { HALT_BLOCK, HELD_BACK_BLOCK, JOURNAL_BLOCK } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { findLostPost } from './find-lost-post.ts';
import { post } from './post.ts';
import type { Sender } from './sender.ts';

interface Announcement {
  news: News;
  blockId: string;
  /** It was not posted before. */
  since: Date;
}

type Payload = Readonly<Record<string, unknown>>;

/** By the `topic` of what is owed: what it tells, drawn as it is now; null where there is nothing to tell any more. */
const TOPICS: Readonly<Record<string, (deps: BotDeps, payload: Payload) => Promise<Announcement | null>>> = {
  halt: drawHalt,
  held_back: drawHeldBack,
  journal_damage: (_deps, payload) => Promise.resolve(drawJournalDamage(payload)),
};

/** A new message in the channel that is about no single action. Once: it is found again by its metadata. */
export const sendAnnouncement: Sender = async (deps, entry) => {
  const { topic, begun } = entry.payload;
  const draw = typeof topic === 'string' && Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined;
  const announcement = (await draw?.(deps, entry.payload)) ?? null;
  if (announcement === null) return;
  const { channel } = deps;
  const { news, blockId, since } = announcement;
  if (begun === true) {
    const { event_type: eventType, event_payload: payload } = news.metadata;
    if ((await findLostPost(deps, { channel, since, eventType, payload, blockId })).kind === 'found') return;
  }
  await noteIntent(deps.ctx, entry);
  await post(deps, { channel, message: news, onRefused: () => forgetIntent(deps.ctx, entry) });
};

/** `{ topic: 'halt', halt_id, event }` */
async function drawHalt(deps: BotDeps, { halt_id: id, event }: Payload): Promise<Announcement | null> {
  if (typeof id !== 'number' || (event !== 'declared' && event !== 'lifted')) return null;
  const found = await readHalt(deps.ctx, id);
  if (found === null) return null;
  const since = (event === 'lifted' ? found.halt.liftedAt : null) ?? found.halt.declaredAt;
  return { news: createHaltNews({ ...found, event }), blockId: HALT_BLOCK, since };
}

/** `{ topic: 'held_back', action_id, failures }` */
async function drawHeldBack(deps: BotDeps, { action_id: id, failures }: Payload): Promise<Announcement | null> {
  if (typeof id !== 'string' || typeof failures !== 'number') return null;
  const failed = await findActionView(deps.ctx, id);
  if (failed === null) return null;
  const since = failed.completedAt ?? failed.requestedAt;
  return { news: createHeldBackNews(failed, failures), blockId: HELD_BACK_BLOCK, since };
}

/** `{ topic: 'journal_damage', server, found_at, lines, heard_at }` */
function drawJournalDamage(payload: Payload): Announcement | null {
  const { server, found_at: foundAt, heard_at: heardAt, lines } = payload;
  if (typeof server !== 'string' || typeof foundAt !== 'string') return null;
  if (typeof heardAt !== 'string' || typeof lines !== 'number') return null;
  const news = createJournalNews({ server, foundAt: new Date(foundAt), lines });
  return { news, blockId: JOURNAL_BLOCK, since: new Date(heardAt) }; // the agent's clock may be any
}
