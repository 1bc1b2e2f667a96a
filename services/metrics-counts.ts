import { OUTBOX_KINDS } from '../db/entities/slack-outbox-entry.entity.ts';
import { ACTION_STATUSES } from '../domain/lifecycle.ts';
import { serverStatus } from '../domain/liveness.ts';
import type { Context } from './context.ts';

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

/** Zero where nothing was counted: a series that comes and goes cannot be watched. */
function fill(names: readonly string[], rows: readonly { name: string; count: number }[]): Map<string, number> {
  const counts = new Map(names.map((name) => [name, 0]));
  for (const { name, count } of rows) counts.set(name, Number(count));
  return counts;
}
