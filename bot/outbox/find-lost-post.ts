import type { ConversationsHistoryResponse, ConversationsRepliesResponse } from '@slack/web-api';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';

const PAGE = 100;
const MAX_PAGES = 5;
const SKEW_S = 120; // Slack's clock against ours

export type LostPost = { kind: 'found'; ts: string } | { kind: 'missing' } | { kind: 'not_permitted' };

export interface WantedPost {
  channel: string;
  /** The thread that it was posted in; absent: the channel. */
  threadTs?: string | undefined;
  since: Date;
  eventType: string;
  /** What its metadata must say, at least. */
  payload: Readonly<Record<string, string | number>>;
  /** Of its first block. */
  blockId?: string;
}

/**
 * Looks for a post whose answer was lost, by its metadata. Reading history is an optional scope; without it nobody can
 * say. Rejects where Slack does not answer: then nothing may be posted yet.
 */
export async function findLostPost(deps: BotDeps, wanted: WantedPost): Promise<LostPost> {
  let found: LostPost = { kind: 'missing' };
  const isRead = await readBack(deps, wanted, (message) => {
    if (!isPost(message, wanted) || message.ts === undefined) return false;
    found = { kind: 'found', ts: message.ts };
    return true;
  });
  return isRead ? found : { kind: 'not_permitted' };
}

/** Where to look, and since when. */
export type Place = Pick<WantedPost, 'channel' | 'threadTs' | 'since'>;

/**
 * Shows each message of a place to `visit`, the newest first, until it says that this was enough or 500 were read. False
 * where the app may not read there. Rejects where Slack does not answer.
 */
export async function readBack(
  deps: BotDeps,
  place: Place,
  visit: (message: { ts?: string; metadata?: object }) => boolean,
): Promise<boolean> {
  let cursor: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await readPage(deps, place, cursor);
      if (answer.messages?.some(visit) === true) return true;
      cursor = answer.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === '') break;
    }
    return true;
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind === 'refused' && NOT_PERMITTED.includes(failure.code)) return false;
    if (failure.kind === 'refused' && failure.code === 'thread_not_found') return true;
    throw error;
  }
}

const NOT_PERMITTED = ['missing_scope', 'not_in_channel', 'no_permission', 'access_denied'];

function readPage(
  deps: BotDeps,
  { channel, threadTs, since }: Place,
  cursor: string | undefined,
): Promise<ConversationsHistoryResponse | ConversationsRepliesResponse> {
  const oldest = String(since.getTime() / 1000 - SKEW_S);
  const next = cursor === undefined ? {} : { cursor };
  const page = { channel, oldest, limit: PAGE, include_all_metadata: true, ...next };
  return threadTs === undefined
    ? deps.client.conversations.history(page)
    : deps.client.conversations.replies({ ...page, ts: threadTs });
}

function isPost(message: object, wanted: WantedPost): boolean {
  const { metadata, blocks } = message as {
    metadata?: { event_type?: string; event_payload?: Record<string, unknown> };
    blocks?: { block_id?: string }[];
  };
  if (metadata?.event_type !== wanted.eventType) return false;
  const isSame = Object.entries(wanted.payload).every(([name, value]) => metadata.event_payload?.[name] === value);
  return isSame && (wanted.blockId === undefined || blocks?.[0]?.block_id === wanted.blockId);
}
