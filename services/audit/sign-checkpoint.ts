import { listAuditAfter, readAuditHead } from '../../db/repositories/audit.repository.ts';
import type { KeptCheckpoint } from '../../db/repositories/checkpoint.repository.ts';
import { findNewestCheckpoint, keepCheckpoint } from '../../db/repositories/checkpoint.repository.ts';
import { durably } from '../../domain/durable-step.ts';
import { CHAIN_START, verifyChain } from '../../protocol/audit-chain.ts';
import { signCheckpoint } from '../../protocol/checkpoint.ts';
import type { Context } from '../context.ts';

const EVENTS_BETWEEN = 100;
const PERIOD_MS = 60_000;
const MOST_AT_ONCE = 2_000; // an older log is caught up with in steps of this many events

/** What became of one look at the log. `broken`: it does not follow from the last checkpoint, and nothing was signed. */
export type Signing = 'signed' | 'nothing_due' | 'broken';

/**
 * Signs how far the log has grown, every 100 events, or every minute in which there were any. Only what follows from the
 * last checkpoint is signed: each new line is checked, so that a log that was rewritten in between is never vouched for.
 * May run in several processes at once: of one length there is one checkpoint.
 */
export async function signNextCheckpoint(ctx: Context): Promise<Signing> {
  const { database } = ctx;
  const last = await findNewestCheckpoint(database);
  const { seq } = await readAuditHead(database);
  const from = { count: last?.count ?? 0, head: last?.head ?? CHAIN_START };
  if (!isDue(last, seq)) return seq < from.count ? tellBroken(ctx, from, 'it is shorter now') : 'nothing_due';
  const lines = await listAuditAfter(database, { after: from.count, limit: MOST_AT_ONCE });
  const reading = await verifyChain(
    lines.map(({ body }) => body),
    { from },
  );
  if (!reading.isIntact) return tellBroken(ctx, from, reading.sentence);
  if (reading.count === from.count) return tellBroken(ctx, from, 'its events are missing');
  const { count, head } = reading;
  const checkpoint = { count, head, at: new Date().toISOString() };
  const jws = await signCheckpoint({ checkpoint, privateKey: ctx.signer.privateKey, kid: ctx.signer.kid });
  const isKept = await durably('checkpoint.keep', () => keepCheckpoint(database, { count, head, jws }));
  return isKept ? 'signed' : 'nothing_due';
}

function isDue(last: KeptCheckpoint | null, seq: number): boolean {
  const news = seq - (last?.count ?? 0);
  return news > 0 && (last === null || news >= EVENTS_BETWEEN || last.ageMs >= PERIOD_MS);
}

function tellBroken(ctx: Context, from: { count: number }, sentence: string): Signing {
  ctx.log.error({ count: from.count, reason: sentence }, 'the audit log does not follow from its last checkpoint');
  return 'broken';
}
