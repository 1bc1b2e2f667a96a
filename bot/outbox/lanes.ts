import type { Lane } from '../../services/slack/outbox.ts';
import type { Pace } from '../../services/slack/pace.ts';

const MINUTE_MS = 60_000;
const JITTER_MS = 250; // one call takes longer to arrive than another

/**
 * Slack: chat.update 50 a minute. We keep to 45 in any minute, and lend bursts of what people wait for out of that.
 */
const UPDATES: Pace = {
  spacingMs: MINUTE_MS / 45,
  countsFrom: 'turn',
  window: { ms: MINUTE_MS + JITTER_MS, messages: 45 },
  burst: { urgent: 5, calm: 3 },
  hurriesInWindow: 5, // in a storm, the first clicks of a minute are shown before the ends that queue
  calmBelow: 10,
};

/** Slack: one message a second and channel; bursts are allowed and not promised. */
const POSTS: Pace = {
  spacingMs: 1_000,
  countsFrom: 'answer',
  window: { ms: MINUTE_MS, messages: 60 },
  burst: { urgent: 1, calm: 1 },
  hurriesInWindow: 60,
  calmBelow: 0,
};

/** Edits never wait for posts, nor what is told to one for what is told to all. */
export function createLanes(channel: string): readonly Lane[] {
  return [
    { name: 'update', sends: 'update', pace: UPDATES },
    { name: `post ${channel}`, sends: 'post', pace: POSTS },
    { name: 'private', sends: 'private', pace: POSTS },
  ];
}
