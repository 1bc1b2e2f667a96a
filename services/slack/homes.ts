import { readAuditHead } from '../../db/repositories/audit.repository.ts';
import * as actions from '../../db/repositories/action.repository.ts';
import * as homes from '../../db/repositories/home.repository.ts';
import { listWaitingKinds, listWaitingOfKinds } from '../../db/repositories/waiting.repository.ts';
import type { Asker } from '../../domain/principal.ts';
import { mayDo } from '../../domain/roles.ts';
import type { ActionView } from '../actions/action-view.ts';
import { toActionView } from '../actions/action-view.ts';
import { mayApprove } from '../actions/approvers.ts';
import { findActionView, listActions } from '../actions/read-actions.ts';
import { durably } from '../../domain/durable-step.ts';
import type { Context } from '../context.ts';
import type { HaltView } from '../halts/halt-view.ts';
import { listStandingHalts } from '../halts/read-halts.ts';
import { listPausedServers } from '../servers/read-servers.ts';
import type { ServerView } from '../servers/server-view.ts';

const OPEN_MS = 12 * 3_600_000; // Slack does not say when a Home is closed; after half a day it is opened anew
const PAUSE_MS = 3_000; // between two looks at one Home, so that a storm costs each person at most 20 edits a minute
const STALE_MS = 60_000; // what only time changes: failures of more than a day ago, a new configuration
const BATCH = 20;
const SHOWN_WAITING = 12; // of five blocks each, in the hundred that Slack takes
const SHOWN = 10;
const DAY_MS = 86_400_000;

/** What one person's Home tells. */
export interface HomeContent {
  /** Pending, and this person may decide it now; the oldest, oldest first. */
  waiting: ActionView[];
  /** How many there are of these in all. */
  waitingCount: number;
  /** What they asked for, newest first. */
  asked: ActionView[];
  /** Failed or expired within the last day, newest first. */
  failed: ActionView[];
  paused: ServerView[];
  /** What stands still, oldest first. */
  halts: HaltView[];
}

export interface HomeState {
  slackUserId: string;
  /** Of what was published last; null where nothing was. */
  digest: string | null;
}

/** Right for the person who looks: everything is read, and judged, with what counts for them now. */
export async function readHome(ctx: Context, asker: Asker): Promise<HomeContent> {
  const { principal } = asker;
  const [decidable, asked, failed, paused, halts] = await Promise.all([
    listDecidable(ctx, asker),
    actions.listActions(ctx.database, { requestedBy: principal.name, limit: SHOWN }),
    listFailedToday(ctx, asker),
    listPausedServers(ctx, asker, SHOWN),
    listStandingHalts(ctx, asker),
  ]);
  return { ...decidable, asked: asked.items.map(toActionView), failed, paused, halts };
}

/** Judged kind by kind, so that nothing is left out however much waits. */
async function listDecidable(ctx: Context, asker: Asker): Promise<Pick<HomeContent, 'waiting' | 'waitingCount'>> {
  const { principal } = asker;
  const kinds = mayDo(asker.roles, 'actions.decide') ? await listWaitingKinds(ctx.database, principal.name) : [];
  const judged = await Promise.all(
    kinds.map(async (kind) => {
      const sample = await findActionView(ctx, kind.sampleId);
      return sample !== null && (await mayApprove(ctx, sample, principal)) ? kind : null;
    }),
  );
  const mine = judged.filter((kind) => kind !== null);
  const keys = mine.map(({ key }) => key);
  const rows = await listWaitingOfKinds(ctx.database, { principal: principal.name, keys, limit: SHOWN_WAITING });
  return { waiting: rows.map(toActionView), waitingCount: mine.reduce((sum, { count }) => sum + count, 0) };
}

async function listFailedToday(ctx: Context, asker: Asker): Promise<ActionView[]> {
  const pages = await Promise.all(
    (['failed', 'expired'] as const).map((status) => listActions(ctx, asker, { status, limit: SHOWN })),
  );
  const since = Date.now() - DAY_MS;
  return pages
    .flatMap(({ items }) => items)
    .filter(({ completedAt }) => (completedAt?.getTime() ?? 0) >= since)
    .toSorted((a, b) => (b.completedAt?.getTime() ?? 0) - (a.completedAt?.getTime() ?? 0))
    .slice(0, SHOWN);
}

/** From now on this Home is kept up to date. */
export function noteHomeOpened(ctx: Pick<Context, 'database'>, slackUserId: string): Promise<void> {
  return durably('home.open', () => homes.noteHomeOpened(ctx.database, slackUserId));
}

/** The last audit event: a Home that is read after it shows all that it brought. */
export async function readSeq(ctx: Pick<Context, 'database'>): Promise<number> {
  return (await readAuditHead(ctx.database)).seq;
}

export function saveHome(
  ctx: Pick<Context, 'database'>,
  home: { slackUserId: string; digest: string; seenSeq: number },
): Promise<void> {
  return durably('home.save', () => homes.savePublishedHome(ctx.database, home));
}

/** Homes to look at now; each is given to one process at a time. */
export async function claimHomes(ctx: Pick<Context, 'database'>): Promise<HomeState[]> {
  const options = { limit: BATCH, openMs: OPEN_MS, pauseMs: PAUSE_MS, staleMs: STALE_MS };
  const rows = await durably('home.claim', () => homes.claimHomes(ctx.database, options));
  return rows.map((row) => ({ slackUserId: row.slack_user_id, digest: row.digest }));
}

/** Slack may not have what we published: the next look publishes again. */
export function forgetHome(ctx: Pick<Context, 'database'>, slackUserId: string): Promise<void> {
  return durably('home.save', () => homes.forgetPublishedHome(ctx.database, slackUserId));
}
