import * as z from 'zod';
import { ACTION_STATUSES } from '../../../domain/lifecycle.ts';
import { WAIT_CODES } from '../../../services/queue/describe-reason.ts';
import type { QueueView, ServerQueue } from '../../../services/queue/read-queue.ts';
import { haltJson, toHaltJson } from '../halts/schemas.ts';
import { textOrNull, time, timeOrNull, toTime } from '../../schemas.ts';

const filling = z.object({ count: z.number().int(), limit: z.number().int() });

const queuedJson = z.object({
  id: z.string(),
  playbook: z.string(),
  status: z.enum(ACTION_STATUSES),
  requested_by: z.string(),
  since: time.describe(
    'Pending: when it was requested; approved: when it was approved; between two attempts: when the last one ended.',
  ),
  until: timeOrNull.describe('When it ends by itself if nothing changes.'),
  why: z.object({ code: z.enum(WAIT_CODES), sentence: z.string() }),
});

export const queueJson = z.object({
  at: time,
  waiting: filling,
  executing: filling,
  halts: z.array(haltJson).describe('Those that stand, oldest first: nothing that one covers starts.'),
  tags: z
    .array(
      z.object({ tag: z.string(), servers: z.number().int(), executing: z.number().int(), limit: z.number().int() }),
    )
    .describe('Those of which a server holds something, the fullest first.'),
  held_back: z
    .array(
      z.object({
        server: z.string(),
        playbook: z.string(),
        failures: z.number().int().describe('How often in a row it failed there.'),
        since: time,
        dead_letter: z.string().describe('Replayed or dismissed, it gives the playbook one more try.'),
      }),
    )
    .describe('Playbooks of which nothing starts on a server, as they keep failing there; the oldest 50.'),
  servers: z
    .array(
      z.object({
        server: z.string(),
        status: z.enum(['online', 'offline', 'never_seen']),
        paused: z.boolean(),
        waiting: filling,
        held: z
          .object({ id: z.string(), playbook: z.string(), since: time })
          .nullable()
          .describe('What was handed out to its agent; it need not have started.'),
        actions: z.array(queuedJson).describe('The first that wait, whose turn is next at the top.'),
      }),
    )
    .describe('Those on which something waits or is held, by name.'),
  next: textOrNull.describe('Null on the last page.'),
});

export function toQueueJson(view: QueueView): z.infer<typeof queueJson> {
  const { at, halts, heldBack, servers, ...rest } = view;
  const held_back = heldBack.map(({ deadLetter, since, ...held }) => {
    return { ...held, since: since.toISOString(), dead_letter: deadLetter };
  });
  return {
    ...rest,
    at: at.toISOString(),
    halts: halts.map(toHaltJson),
    held_back,
    servers: servers.map(toServerJson),
  };
}

function toServerJson({ isPaused: paused, held, actions, ...rest }: ServerQueue) {
  return {
    ...rest,
    paused,
    held: held === null ? null : { ...held, since: held.since.toISOString() },
    actions: actions.map(({ requestedBy, since, until, ...action }) => ({
      ...action,
      requested_by: requestedBy,
      since: since.toISOString(),
      until: toTime(until),
    })),
  };
}
