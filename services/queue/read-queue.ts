import { listStandingHalts } from '../../db/repositories/halt.repository.ts';
import { countExecuting, countWaiting, readUse } from '../../db/repositories/limit.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import * as snapshot from '../../db/repositories/snapshot.repository.ts';
import type { Source } from '../../db/repositories/source.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import type { Limits, Use } from '../../domain/limits.ts';
import { findHold, shareOf } from '../../domain/limits.ts';
import type { ServerStatus } from '../../domain/liveness.ts';
import { serverStatus } from '../../domain/liveness.ts';
import type { Asker } from '../../domain/principal.ts';
import type { ActionView } from '../actions/action-view.ts';
import { toActionView } from '../actions/action-view.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { HaltView } from '../halts/halt-view.ts';
import { toHaltView } from '../halts/halt-view.ts';
import type { HoldBackView } from '../hold-backs/read-hold-backs.ts';
import { readHoldBacks } from '../hold-backs/read-hold-backs.ts';
import { readPageSize } from '../page-size.ts';
import { readServerCursor } from '../servers/read-servers.ts';
import type { WaitReason } from './describe-reason.ts';
import { describeReason } from './describe-reason.ts';

const SHOWN_ACTIONS = 20; // of one server; those further back wait for these
const SHOWN_TAGS = 50;
const SHOWN_HOLD_BACKS = 50;

/** So many of so many that may be. */
export interface Filling {
  count: number;
  limit: number;
}

export interface QueuedAction {
  id: string;
  playbook: string;
  status: ActionStatus;
  requestedBy: string;
  /** Pending: since it was requested; approved: since then; between two attempts: since the last one ended. */
  since: Date;
  /** When it ends by itself if nothing changes. */
  until: Date | null;
  why: WaitReason;
}

export interface ServerQueue {
  server: string;
  status: ServerStatus;
  isPaused: boolean;
  /** As the limit counts it: what is to be tried again is not in it. */
  waiting: Filling;
  /** What its agent holds, and since when it was handed out; it need not have started. */
  held: { id: string; playbook: string; since: Date } | null;
  /** The first that wait, whose turn is next at the top. */
  actions: QueuedAction[];
}

export interface QueueView {
  at: Date;
  waiting: Filling;
  executing: Filling;
  /** Those that stand, oldest first: nothing that one covers starts. */
  halts: HaltView[];
  /** Of which a server holds something, the fullest first; `limit` of `servers` may. */
  tags: { tag: string; servers: number; executing: number; limit: number }[];
  /** Playbooks that failed too often in a row on a server, the oldest first. */
  heldBack: HoldBackView[];
  /** Those on which something waits or is held, by name. */
  servers: ServerQueue[];
  /** The cursor of the next page of servers. */
  next: string | null;
}

/**
 * What waits, why, since when and until when, and how full each limit is, all at one moment. Throws InvalidInputError
 * `invalid_limit`, `invalid_cursor`.
 */
export async function readQueue(
  ctx: Context,
  asker: Asker,
  query: { limit?: number | undefined; after?: string | undefined } = {},
): Promise<QueueView> {
  authorise(asker, 'actions.read');
  const page = { limit: readPageSize(query.limit), after: readServerCursor(query.after) };
  const { limits } = ctx.config.current();
  return ctx.database.kysely
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((kysely) => readAll({ kysely }, { limits, page }));
}

async function readAll(
  source: Source,
  { limits, page }: { limits: Limits; page: { limit: number; after: string | undefined } },
): Promise<QueueView> {
  const found = await snapshot.listBusyServers(source, { limit: page.limit + 1, after: page.after });
  const servers = found.slice(0, page.limit);
  const tags = await snapshot.listTagsInUse(source, SHOWN_TAGS);
  const use = await readUse(source, [...new Set([...tags, ...servers.flatMap((server) => server.tags)])]);
  return {
    at: new Date(),
    waiting: { count: await countWaiting(source), limit: limits.waiting },
    executing: { count: await countExecuting(source), limit: limits.executing },
    halts: (await listStandingHalts(source)).map(toHaltView),
    tags: tags.flatMap((tag) => use.tags.filter((one) => one.tag === tag)).map((one) => addLimit(one, limits)),
    heldBack: await readHoldBacks(source, SHOWN_HOLD_BACKS),
    servers: await readServers(source, { servers, limits, use }),
    next: found.length > page.limit ? (servers.at(-1)?.name ?? null) : null,
  };
}

function addLimit(use: Use['tags'][number], limits: Limits): QueueView['tags'][number] {
  return { ...use, limit: shareOf(use.servers, limits.executingPerTag) };
}

async function readServers(
  source: Source,
  input: { servers: readonly ServerRow[]; limits: Limits; use: Use },
): Promise<ServerQueue[]> {
  const { servers, limits, use } = input;
  const serverIds = servers.map(({ id }) => id);
  const waiting = await snapshot.listWaitingOn(source, { serverIds, limit: SHOWN_ACTIONS });
  const held = await snapshot.listHeld(source, serverIds);
  const now = new Date();
  return servers.map((server) => {
    const tags = use.tags.filter(({ tag }) => server.tags.includes(tag));
    const surroundings = {
      serverStatus: serverStatus(server, now),
      hold: findHold(limits, { ...use, tags }),
      held: held.get(server.id) ?? null,
    };
    const actions = waiting.actions.filter((action) => action.server_id === server.id).map(toActionView);
    return {
      server: server.name,
      status: surroundings.serverStatus,
      isPaused: server.paused,
      waiting: { count: waiting.counts.get(server.id) ?? 0, limit: limits.waitingPerServer },
      held: surroundings.held,
      actions: actions.map((action) => toQueued(action, describeReason(action, surroundings))),
    };
  });
}

function toQueued(action: ActionView, why: WaitReason): QueuedAction {
  const { id, playbook, status, requestedBy, expiresAt: until } = action;
  const lastEnd = status === 'executing' ? action.attempts.at(-1)?.endedAt : null;
  return { id, playbook, status, requestedBy, since: lastEnd ?? action.approvedAt ?? action.requestedAt, until, why };
}
