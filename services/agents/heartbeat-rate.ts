import { TooManyRequestsError } from '../../domain/errors.ts';

const MINUTE_MS = 60_000;

interface Bucket {
  left: number;
  atMs: number;
}

/**
 * How often the agent of one server may call this process: as often as `perMinute` says at once, and from then on as
 * each call's share of the minute passes, so that an agent which was busy waits for a moment and not for a minute. Only
 * whoever has proved to be that agent is counted: nobody else can use it up. `take` throws TooManyRequestsError
 * `too_many_heartbeats` with `retry_after_s`; a call that is refused is not counted.
 */
export function createHeartbeatRate(now: () => number = () => performance.now()): {
  take(input: { serverId: string; perMinute: number }): void;
} {
  const buckets = new Map<string, Bucket>();
  return {
    take({ serverId, perMinute }) {
      const atMs = now();
      const known = buckets.get(serverId) ?? { left: perMinute, atMs };
      const left = Math.min(perMinute, known.left + ((atMs - known.atMs) / MINUTE_MS) * perMinute);
      buckets.set(serverId, { left: left >= 1 ? left - 1 : left, atMs });
      if (left >= 1) return;
      const waitS = Math.max(1, Math.ceil(((1 - left) / perMinute) * 60));
      const message = `The agent of this server calls more than ${perMinute} times a minute: wait as long as Retry-After says.`;
      throw new TooManyRequestsError(message, {
        code: 'too_many_heartbeats',
        details: { retry_after_s: waitS, limit: perMinute },
      });
    },
  };
}
