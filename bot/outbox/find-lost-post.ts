import { EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';

const PAGE = 100;
const MAX_PAGES = 5;
const SKEW_S = 120; // Slack's clock against ours

export type LostPost = { kind: 'found'; ts: string } | { kind: 'missing' } | { kind: 'not_permitted' };

/**
 * Looks for a post whose answer was lost, by its metadata. Reading history is an optional scope; without it nobody can
 * say. Rejects where Slack does not answer: then nothing may be posted yet.
 */
export async function findLostPost(
  deps: BotDeps,
  post: { channel: string; actionId: string; blockId: string; since: Date },
): Promise<LostPost> {
  const oldest = String(post.since.getTime() / 1000 - SKEW_S);
  let cursor: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await deps.client.conversations.history({
        channel: post.channel,
        oldest,
        limit: PAGE,
        include_all_metadata: true,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const match = answer.messages?.find((message) => isPost(message, post));
      if (match?.ts !== undefined) return { kind: 'found', ts: match.ts };
      cursor = answer.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === '') break;
    }
    return { kind: 'missing' };
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind === 'refused' && NOT_PERMITTED.includes(failure.code)) return { kind: 'not_permitted' };
    throw error;
  }
}

const NOT_PERMITTED = ['missing_scope', 'not_in_channel', 'no_permission', 'access_denied'];

function isPost(message: object, post: { actionId: string; blockId: string }): boolean {
  const { metadata, blocks } = message as {
    metadata?: { event_type?: string; event_payload?: { action_id?: unknown } };
    blocks?: { block_id?: string }[];
  };
  const isOurs = metadata?.event_type === EVENT_TYPE && metadata.event_payload?.action_id === post.actionId;
  return isOurs && blocks?.[0]?.block_id === post.blockId;
}
