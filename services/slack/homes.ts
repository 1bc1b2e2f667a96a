import { readAuditHead } from '../../db/repositories/audit.repository.ts';
import * as actions from '../../db/repositories/action.repository.ts';
import * as homes from '../../db/repositories/home.repository.ts';
import type { Asker } from '../../domain/principal.ts';
import type { ActionView } from '../actions/action-view.ts';
import { toActionView } from '../actions/action-view.ts';
import { mayApprove } from '../actions/approvers.ts';
import { listActions, listWaitingActions } from '../actions/read-actions.ts';
import type { Context } from '../context.ts';
import { listPausedServers } from '../servers/read-servers.ts';
import type { ServerView } from '../servers/server-view.ts';

const OPEN_MS = 12 * 3_600_000; // Slack does not say when a Home is closed; after half a day it is opened anew
const PAUSE_MS = 3_000; // between two looks at one Home, so that a storm costs each person at most 20 edits a minute
const STALE_MS = 60_000; // what only time changes: failures of more than a day ago, a new configuration
const BATCH = 20;
const LOOKED_THROUGH = 100; // the oldest; a person who has more to decide needs the list
const SHOWN = 10;
const DAY_MS = 86_400_000;

/** What one person's Home tells. */
export interface HomeContent {
  /** Pending, and this person may decide it now; oldest first. */
  waiting: ActionView[];
  /** What they asked for, newest first. */
  asked: ActionView[];
  /** Failed or expired within the last day, newest first. */
  failed: ActionView[];
  paused: ServerView[];
}

export interface HomeState {
  slackUserId: string;
  /** Of what was published last; null where nothing was. */
  digest: string | null;
}

/** Right for the person who looks: everything is read, and judged, with what counts for them now. */
export async function readHome(ctx: Context, asker: Asker): Promise<HomeContent> {
  const { principal } = asker;
  const [pending, asked, failed, paused] = await Promise.all([
    listWaitingActions(ctx, asker, LOOKED_THROUGH),
    actions.listActions(ctx.database, { requestedBy: principal.name, limit: SHOWN }),
    listFailedToday(ctx, asker),
    listPausedServers(ctx, asker, SHOWN),
  ]);
  const decidable = await Promise.all(pending.map((action) => mayApprove(ctx, action, principal)));
  const waiting = pending.filter((_action, index) => decidable[index] === true);
  return { waiting, asked: asked.items.map(toActionView), failed, paused };
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
  return homes.noteHomeOpened(ctx.database, slackUserId);
}

/** The last audit event: a Home that is read after it shows all that it brought. */
export async function readSeq(ctx: Pick<Context, 'database'>): Promise<number> {
  return (await readAuditHead(ctx.database)).seq;
}

export function saveHome(
  ctx: Pick<Context, 'database'>,
  home: { slackUserId: string; viewId: string | null | undefined; digest: string; seenSeq: number },
): Promise<void> {
  return homes.savePublishedHome(ctx.database, home);
}

/** Homes to look at now; each is given to one process at a time. */
export async function claimHomes(ctx: Pick<Context, 'database'>): Promise<HomeState[]> {
  const options = { limit: BATCH, openMs: OPEN_MS, pauseMs: PAUSE_MS, staleMs: STALE_MS };
  const rows = await homes.claimHomes(ctx.database, options);
  return rows.map((row) => ({ slackUserId: row.slack_user_id, digest: row.digest }));
}

/** Slack may not have what we published: the next look publishes again. */
export function forgetHome(ctx: Pick<Context, 'database'>, slackUserId: string): Promise<void> {
  return homes.forgetPublishedHome(ctx.database, slackUserId);
}
