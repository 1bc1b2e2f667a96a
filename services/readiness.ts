import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Context } from './context.ts';

const PATIENCE_MS = 2_000; // a load balancer asks every few seconds

/** What Medic depends on and cannot reach just now. Never throws. */
export async function findMissing(ctx: Context): Promise<('database' | 'temporal')[]> {
  const [hasDatabase, hasTemporal] = await Promise.all([
    holdsInTime(sql`select 1`.execute(ctx.database.kysely).then(() => true)),
    holdsInTime(ctx.temporal.isReachable()),
  ]);
  return [...(hasDatabase ? [] : ['database' as const]), ...(hasTemporal ? [] : ['temporal' as const])];
}

function holdsInTime(check: Promise<boolean>): Promise<boolean> {
  const inTime = check.catch(() => false);
  return Promise.race([inTime, delay(PATIENCE_MS, false, { ref: false })]);
}
