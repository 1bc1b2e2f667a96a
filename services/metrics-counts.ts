import { OUTBOX_KINDS } from '../db/entities/slack-outbox-entry.entity.ts';
import { listStandingHalts } from '../db/repositories/halt.repository.ts';
import { listHoldBacks } from '../db/repositories/hold-back.repository.ts';
import { countExecuting, countHeld, countWaiting } from '../db/repositories/limit.repository.ts';
import { HALT_SCOPES } from '../domain/halt.ts';
import { ACTION_STATUSES } from '../domain/lifecycle.ts';
import { serverStatus } from '../domain/liveness.ts';
import type { Context } from './context.ts';
import { readSockets } from './slack/sockets.ts';

const MOST_HOLD_BACKS = 1_000; // more say no more

/** What monitoring watches, counted now: each by its label's value. */
export async function countActionsByStatus(ctx: Context): Promise<Map<string, number>> {
  const rows = await ctx.database.kysely
    .selectFrom('actions')
    .select(['status as name', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  return fill(ACTION_STATUSES, rows);
}

export async function countServersByStatus(ctx: Context): Promise<Map<string, number>> {
  const rows = await ctx.database.kysely
    .selectFrom('servers')
    .select(['last_seen_at', 'heartbeat_interval_s'])
    .where('revoked_at', 'is', null)
    .execute();
  const counts = new Map<string, number>([
    ['online', 0],
    ['offline', 0],
    ['never_seen', 0],
  ]);
  const now = new Date();
  for (const row of rows) {
    const status = serverStatus(row, now);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return counts;
}

/** As `limits` of medic.yaml says; what is counted by the minute or by one server too. */
export function listLimits(ctx: Context): Promise<Map<string, number>> {
  const { limits } = ctx.config.current();
  return Promise.resolve(
    new Map([
      ['waiting', limits.waiting],
      ['waiting_per_server', limits.waitingPerServer],
      ['requests_per_minute', limits.requestsPerMinute],
      ['executing', limits.executing],
    ]),
  );
}

/** How much of the limits on all servers together is taken. */
export async function countLimitsUsed(ctx: Context): Promise<Map<string, number>> {
  const [waiting, executing] = await Promise.all([countWaiting(ctx.database), countExecuting(ctx.database)]);
  return new Map([
    ['waiting', waiting],
    ['executing', executing],
  ]);
}

/** Actions whose turn it is and that a limit holds, by its code. */
export async function countHeldByLimit(ctx: Context): Promise<Map<string, number>> {
  return fill(['fleet_limit', 'tag_share'], await countHeld(ctx.database));
}

/** Halts that stand, by scope. */
export async function countHaltsByScope(ctx: Context): Promise<Map<string, number>> {
  const standing = await listStandingHalts(ctx.database);
  return new Map(HALT_SCOPES.map((scope) => [scope, standing.filter((halt) => halt.scope === scope).length]));
}

/** On how many servers each playbook is held back; those that are nowhere are missing. */
export async function countHeldBackByPlaybook(ctx: Context): Promise<Map<string, number>> {
  const rows = await listHoldBacks(ctx.database, MOST_HOLD_BACKS);
  const playbooks = [...new Set(rows.map(({ playbook }) => playbook))];
  return new Map(playbooks.map((name) => [name, rows.filter(({ playbook }) => playbook === name).length]));
}

/** Messages owed to Slack, by kind. */
export async function countOutboxByKind(ctx: Context): Promise<Map<string, number>> {
  const rows = await ctx.database.kysely
    .selectFrom('slack_outbox')
    .select(['kind as name', ({ fn }) => fn.countAll<number>().as('count')])
    .where('sent_at', 'is', null)
    .groupBy('kind')
    .execute();
  return fill(OUTBOX_KINDS, rows);
}

/** Bots by whether they hold a socket to Slack. */
export async function countSlackSockets(ctx: Context): Promise<Map<string, number>> {
  const { connected, lost } = await readSockets(ctx);
  return new Map([
    ['connected', connected],
    ['lost', lost],
  ]);
}

/** Null where no bot uses Socket Mode: over HTTP only Slack knows whether it reaches us. */
export async function readSlackSilence(ctx: Context): Promise<number | null> {
  return (await readSockets(ctx)).disconnectedS;
}

/** Zero where nothing was counted: a series that comes and goes cannot be watched. */
function fill(names: readonly string[], rows: readonly { name: string; count: number }[]): Map<string, number> {
  const counts = new Map(names.map((name) => [name, 0]));
  for (const { name, count } of rows) counts.set(name, Number(count));
  return counts;
}
