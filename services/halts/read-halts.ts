import type { Database } from '../../db/orm.ts';
import * as halts from '../../db/repositories/halt.repository.ts';
import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { readPageSize } from '../page-size.ts';
import type { HaltView } from './halt-view.ts';
import { toHaltView } from './halt-view.ts';

/** The latest first. Throws InvalidInputError `invalid_cursor`, `invalid_limit`. */
export async function listHalts(
  ctx: Context,
  asker: Asker,
  query: { limit?: number | undefined; after?: string | undefined; isStandingOnly?: boolean | undefined } = {},
): Promise<{ items: HaltView[]; next: string | null }> {
  authorise(asker, 'servers.read');
  const { after } = query;
  if (after !== undefined && !/^\d{1,15}$/.test(after)) {
    const message = 'The cursor `after` is none that a list has given as `next`.';
    throw new InvalidInputError(message, { code: 'invalid_cursor' });
  }
  const page = await halts.listHalts(ctx.database, {
    limit: readPageSize(query.limit),
    after: after === undefined ? undefined : Number(after),
    isStandingOnly: query.isStandingOnly ?? false,
  });
  return { items: page.items.map(toHaltView), next: page.next === null ? null : String(page.next) };
}

/** Those that stand, oldest first. */
export async function listStandingHalts(ctx: Context, asker: Asker): Promise<HaltView[]> {
  authorise(asker, 'servers.read');
  return (await halts.listStandingHalts(ctx.database)).map(toHaltView);
}

/** One halt, what of that which it covers runs and waits now, and those that stand now; for a message that tells of it. */
export async function readHalt(
  ctx: Context,
  id: number,
): Promise<{ halt: HaltView; running: number; waiting: number; standing: HaltView[] } | null> {
  const row = await halts.findHalt(ctx.database, id);
  if (row === null) return null;
  const standing = (await halts.listStandingHalts(ctx.database)).map(toHaltView);
  return { halt: toHaltView(row), ...(await halts.countCovered(ctx.database, row)), standing };
}

const readings = new WeakMap<Database, Promise<HaltRow[]>>();

/**
 * The halts that stand, read once for all who ask in the same turn of the event loop: a halt wakes every held heartbeat
 * at once, and none of them may wait for the look of another.
 */
export function readStandingTogether({ database }: Pick<Context, 'database'>): Promise<HaltRow[]> {
  const shared = readings.get(database);
  if (shared !== undefined) return shared;
  const reading = new Promise((resolve) => setImmediate(resolve)).then(() => {
    readings.delete(database); // who asks from now on may want to see what this query does not
    return halts.listStandingHalts(database);
  });
  readings.set(database, reading);
  return reading;
}
