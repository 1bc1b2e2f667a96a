import type { Tx } from '../../db/orm.ts';
import * as counts from '../../db/repositories/limit.repository.ts';
import type { Row } from '../../db/tables.ts';
import { formatDuration } from '../../domain/duration.ts';
import { ConflictError, InvalidInputError, TooManyRequestsError } from '../../domain/errors.ts';
import type { Limits } from '../../domain/limits.ts';
import { cooldownOf } from '../../domain/limits.ts';
import { writeExactTime } from '../../domain/sentence.ts';

const MINUTE_MS = 60_000;
const NEAR = 100; // as many requests as can be under way at once in all processes, with a margin

interface Asked {
  limits: Limits;
  server: Row<'servers'>;
  playbook: string;
  principal: string;
  isDryRun: boolean;
  now: Date;
}

/**
 * What may be asked for now, counted so that two requests at once cannot both take the last place. Lock the server
 * first. Throws TooManyRequestsError `too_many_requests` with `retry_after_s`; ConflictError `server_queue_full`,
 * `queue_full`, `cooldown` with `until`.
 */
export async function checkLimits(tx: Tx, asked: Asked): Promise<void> {
  await checkRate(tx, asked);
  await checkWaiting(tx, asked);
  await checkCooldown(tx, asked);
}

async function checkRate(tx: Tx, { limits, principal, now }: Asked): Promise<void> {
  const limit = limits.requestsPerMinute;
  await counts.lockRequests(tx, { principal });
  const since = new Date(now.getTime() - MINUTE_MS);
  const oldest = await counts.findRequestTime(tx, { principal, since, nth: limit });
  if (oldest === null) return;
  const waitMs = oldest.getTime() + MINUTE_MS - now.getTime();
  const retryAfterS = Math.min(Math.max(Math.ceil(waitMs / 1000), 1), MINUTE_MS / 1000);
  const message = `${principal} has asked for ${limit} actions within a minute, which is the limit: try again in ${retryAfterS} s.`;
  throw new TooManyRequestsError(message, {
    code: 'too_many_requests',
    details: { retry_after_s: retryAfterS, limit },
  });
}

async function checkWaiting(tx: Tx, { limits, server }: Asked): Promise<void> {
  const waitingHere = await counts.countWaiting(tx, { serverId: server.id });
  if (waitingHere >= limits.waitingPerServer) {
    const message = `${waitingHere} actions wait on ${server.name}, which is the limit: let some of them end, or cancel them.`;
    const details = { waiting: waitingHere, limit: limits.waitingPerServer };
    throw new ConflictError(message, { code: 'server_queue_full', details });
  }
  const waiting = await countAllWaiting(tx, limits.waiting);
  if (waiting < limits.waiting) return;
  const message = `${waiting} actions wait in all, which is the limit: let some of them end, or cancel them.`;
  throw new ConflictError(message, { code: 'queue_full', details: { waiting, limit: limits.waiting } });
}

/** Exact where it matters: far from the limit nobody waits for anybody. */
async function countAllWaiting(tx: Tx, limit: number): Promise<number> {
  const waiting = await counts.countWaiting(tx);
  if (waiting < limit - NEAR) return waiting;
  await counts.lockRequests(tx, 'all');
  return counts.countWaiting(tx);
}

async function checkCooldown(tx: Tx, { limits, server, playbook, isDryRun, now }: Asked): Promise<void> {
  const cooldownMs = cooldownOf(limits, playbook);
  if (cooldownMs === 0 || isDryRun) return;
  const since = new Date(now.getTime() - cooldownMs);
  const latest = await counts.findLatestRun(tx, { serverId: server.id, playbook, since });
  if (latest === null) return;
  const until = latest.completed_at === null ? null : new Date(latest.completed_at.getTime() + cooldownMs);
  const what = `${playbook} rests for ${formatDuration(cooldownMs)} after it ran on ${server.name}`;
  const when = until === null ? `and ${latest.id.slice(0, 8)} has not ended yet` : `until ${writeExactTime(until)}`;
  const details = { until: until?.toISOString() ?? null, action_id: latest.id };
  throw new ConflictError(`${what}, ${when}.`, { code: 'cooldown', details });
}

/** Of what came in, before anything reads it. Throws InvalidInputError `params_too_large`. */
export function checkParamsSize(limits: Limits, params: Readonly<Record<string, unknown>>): void {
  const bytes = Buffer.byteLength(JSON.stringify(params));
  if (bytes <= limits.paramsBytes) return;
  const message = `The parameters have ${bytes} bytes, and at most ${limits.paramsBytes} are accepted.`;
  const code = 'params_too_large';
  throw new InvalidInputError(message, { code, fields: [{ path: 'params', message, code }] });
}
