import { sql } from 'kysely';
import { END_STATES, isGivenUp } from '../../domain/lifecycle.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import type { Tx } from '../orm.ts';
import type { NewRow, Row, RowChange } from '../tables.ts';
import type { Course } from './action-course.ts';
import { withCourse } from './action-course.ts';
import { IS_TURN_DUE } from './attempt.repository.ts';
import { IS_NOT_HELD_BACK } from './hold-back.repository.ts';
import type { Source } from './source.ts';

export type ActionRow = Row<'actions'>;

/** An action as people see it: with its server's name and pause, and its course so far. */
export interface ActionWithNames extends ActionRow, Course {
  server_name: string;
  server_paused: boolean;
  paused_by: string | null;
  pause_reason: string | null;
  paused_until: Date | null;
  server_last_seen_at: Date | null;
  heartbeat_interval_s: number;
  server_tags: string[];
}

export interface ActionFilter {
  status?: ActionStatus | undefined;
  /** The server's name. */
  server?: string | undefined;
  playbook?: string | undefined;
  failureCode?: string | undefined;
  /** Only dead letters that are open. */
  isDeadLetter?: boolean | undefined;
  requestedBy?: string | undefined;
  limit: number;
  /** A cursor that an earlier page gave as `next`. */
  after?: ActionCursor | undefined;
}

/** Place in the list, newest first. */
export interface ActionCursor {
  requestedAt: Date;
  id: string;
}

export async function insertAction(tx: Tx, action: NewRow<'actions'>): Promise<ActionRow> {
  return tx.kysely.insertInto('actions').values(action).returningAll().executeTakeFirstOrThrow();
}

export async function findActionById(source: Source, id: string): Promise<ActionWithNames | null> {
  const [action] = await withCourse(source, await selectWithServer(source).where('actions.id', '=', id).execute());
  return action ?? null;
}

/** `prefix` holds no wildcard. */
export async function listIdsByPrefix(source: Source, input: { prefix: string; limit: number }): Promise<string[]> {
  const rows = await source.kysely
    .selectFrom('actions')
    .select('id')
    .where('id', 'like', `${input.prefix}%`)
    .limit(input.limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** The action that an earlier request with this key made, if any. */
export async function findIdByRequestKey(source: Source, requestKey: string): Promise<string | null> {
  const row = await source.kysely
    .selectFrom('actions')
    .select('id')
    .where('request_key', '=', requestKey)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** One page, newest first; `next` is null on the last. Actions requested meanwhile neither repeat nor hide any. */
export async function listActions(
  source: Source,
  filter: ActionFilter,
): Promise<{ items: ActionWithNames[]; next: ActionCursor | null }> {
  const { status, server, playbook, failureCode, isDeadLetter, requestedBy, after, limit } = filter;
  let query = selectWithServer(source);
  if (status !== undefined) query = query.where('actions.status', '=', status);
  if (server !== undefined) query = query.where('servers.name', '=', server);
  if (playbook !== undefined) query = query.where('actions.playbook', '=', playbook);
  if (failureCode !== undefined) query = query.where('actions.failure_code', '=', failureCode);
  if (isDeadLetter === true) query = query.where('actions.dead_letter', '=', sql.lit('open'));
  if (requestedBy !== undefined) query = query.where('actions.requested_by', '=', requestedBy);
  if (after !== undefined) {
    query = query.where(
      sql<boolean>`(actions.requested_at, actions.id) < (${after.requestedAt}::timestamptz, ${after.id}::text)`,
    );
  }
  const rows = await query
    .orderBy('actions.requested_at', 'desc')
    .orderBy('actions.id', 'desc')
    .limit(limit + 1)
    .execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: await withCourse(source, rows.slice(0, limit)),
    next: last === undefined ? null : { requestedAt: last.requested_at, id: last.id },
  };
}

/** What waits for a person, oldest first: it expires first. */
export async function listWaiting(
  source: Source,
  filter: { requestedBy?: string | undefined; limit: number },
): Promise<ActionWithNames[]> {
  const { requestedBy, limit } = filter;
  let query = selectWithServer(source)
    .where('actions.status', '=', 'pending')
    .where('actions.approvals_required', '>', 0);
  if (requestedBy !== undefined) query = query.where('actions.requested_by', '=', requestedBy);
  const rows = await query.orderBy('actions.requested_at').orderBy('actions.id').limit(limit).execute();
  return withCourse(source, rows);
}

/** How one playbook ended on one server, the latest request first; dry runs are left out, as nothing ran. */
export function listEnded(
  source: Source,
  filter: { serverId: string; playbook: string; limit: number },
): Promise<ActionRow[]> {
  return source.kysely
    .selectFrom('actions')
    .selectAll()
    .where('server_id', '=', filter.serverId)
    .where('playbook', '=', filter.playbook)
    .where('dry_run', '=', false)
    .where('status', 'in', [...END_STATES])
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit)
    .execute();
}

/** Locks the row until the transaction ends and reads what stands there then. */
export async function lockAction(tx: Tx, id: string): Promise<ActionRow | null> {
  const row = await tx.kysely.selectFrom('actions').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row ?? null;
}

/**
 * Compare and set: moves the action if its status is one of `from`; null where it is not (any more), and then nothing
 * has changed. `completed_at` is set at any end where `set` names none, and what was given up on is a dead letter. Throws the guards of db/errors.ts.
 */
export async function transitionAction(
  tx: Tx,
  input: { id: string; from: readonly ActionStatus[]; to: ActionStatus; set?: RowChange<'actions'> },
): Promise<ActionRow | null> {
  const isEnd = END_STATES.includes(input.to);
  const ended = isEnd ? { completed_at: sql<Date>`clock_timestamp()`, next_attempt_at: null } : {};
  const failureCode = typeof input.set?.failure_code === 'string' ? input.set.failure_code : null;
  const isLetter = isGivenUp({ status: input.to, failureCode });
  const letter = isLetter ? { dead_letter: sql<'open' | null>`case when dry_run then null else 'open' end` } : {};
  const row = await tx.kysely
    .updateTable('actions')
    .set({ ...ended, ...letter, ...input.set, status: input.to })
    .where('id', '=', input.id)
    .where('status', 'in', [...input.from])
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Changes what may change without a transition: cards, permalinks, `cancel_requested_at`. Null: no such action. */
export async function updateAction(tx: Tx, id: string, set: RowChange<'actions'>): Promise<ActionRow | null> {
  const row = await tx.kysely.updateTable('actions').set(set).where('id', '=', id).returningAll().executeTakeFirst();
  return row ?? null;
}

/**
 * The action whose turn it is on this server, locked: approved first, still to be started in time, not being
 * cancelled and not handed out yet, or not again yet; what is held back there lets others pass. Null also while a command is outstanding there. `exceptPlaybooks`
 * wait, and hold up no others. Lock the server first.
 */
export async function claimNextApprovedAction(
  tx: Tx,
  input: { serverId: string; exceptPlaybooks?: readonly string[] },
): Promise<ActionRow | null> {
  const { serverId, exceptPlaybooks = [] } = input;
  const row = await tx.kysely
    .selectFrom('actions')
    .selectAll()
    .where('server_id', '=', serverId)
    .where(IS_TURN_DUE)
    .where('cancel_requested_at', 'is', null)
    .where(({ not, eb }) => not(eb('playbook', '=', sql<string>`any(${[...exceptPlaybooks]}::text[])`)))
    .where(IS_NOT_HELD_BACK)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`clock_timestamp()`)]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('commands')
            .select('commands.id')
            .where((eb) =>
              eb.or([
                eb.and([eb('commands.server_id', '=', serverId), eb('commands.state', '<>', 'ended')]),
                eb.and([
                  eb('commands.action_id', '=', eb.ref('actions.id')),
                  eb('commands.attempt', '=', eb.ref('actions.attempt')),
                ]),
              ]),
            ),
        ),
      ),
    )
    .orderBy('approved_seq')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** How many approved actions wait for each of these servers. Servers without any are missing. */
export async function countQueued(source: Source, serverIds: readonly string[]): Promise<Map<string, number>> {
  if (serverIds.length === 0) {
    return new Map();
  }
  const rows = await source.kysely
    .selectFrom('actions')
    .select(['server_id', ({ fn }) => fn.countAll<number>().as('queued')])
    .where('status', '=', 'approved')
    .where('server_id', 'in', [...serverIds])
    .groupBy('server_id')
    .execute();
  return new Map(rows.map((row) => [row.server_id, row.queued]));
}

export function selectWithServer(source: Source) {
  return source.kysely
    .selectFrom('actions')
    .innerJoin('servers', 'servers.id', 'actions.server_id')
    .selectAll('actions')
    .select([
      'servers.name as server_name',
      'servers.paused as server_paused',
      'servers.paused_by',
      'servers.pause_reason',
      'servers.paused_until',
      'servers.last_seen_at as server_last_seen_at',
      'servers.heartbeat_interval_s',
      'servers.tags as server_tags',
    ]);
}
