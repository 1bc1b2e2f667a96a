import type { Lane } from '../../services/slack/outbox.ts';
import type { Pace } from '../../services/slack/pace.ts';

const MINUTE_MS = 60_000;
const JITTER_MS = 250; // one call takes longer to arrive than another
const UPDATES_A_MINUTE = 45; // of Slack's 50: closing a duplicate goes past the lane
const POSTS_A_MINUTE = 60; // one a second

/** Slack: chat.update 50 a minute. Bursts of what people wait for are lent out of the minute. */
const UPDATES: Pace = {
  spacingMs: MINUTE_MS / UPDATES_A_MINUTE,
  countsFrom: 'turn',
  window: { ms: MINUTE_MS + JITTER_MS, messages: UPDATES_A_MINUTE },
  burst: { urgent: 5, calm: 3 }, // several decisions at once; one action goes from approved to its end in three edits
  hurriesInWindow: 5, // in a storm, the first clicks of a minute are shown before the ends that queue
  calmBelow: 10, // three actions from approved to their end in one minute
};

/** Slack: one message a second and channel; bursts are allowed and not promised. */
const POSTS: Pace = {
  spacingMs: 1_000,
  countsFrom: 'answer',
  window: { ms: MINUTE_MS, messages: POSTS_A_MINUTE },
  burst: { urgent: 1, calm: 1 }, // none
  hurriesInWindow: POSTS_A_MINUTE, // no limit: a request waits for nothing that nobody waits for
  calmBelow: 0, // without bursts it makes no difference
};

/** Edits never wait for posts, nor what is told to one for what is told to all. */
export function createLanes(channel: string): readonly Lane[] {
  return [
    { name: 'update', sends: 'update', pace: UPDATES },
    { name: `post ${channel}`, sends: 'post', pace: POSTS },
    { name: 'private', sends: 'private', pace: POSTS },
  ];
}
