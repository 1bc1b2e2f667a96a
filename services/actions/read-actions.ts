import * as actions from '../../db/repositories/action.repository.ts';
import { listLateResults } from '../../db/repositories/result.repository.ts';
import { InvalidInputError, NotFoundError } from '../../domain/errors.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import { ACTION_STATUSES } from '../../domain/lifecycle.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Asker } from '../../domain/principal.ts';
import { mayDo } from '../../domain/roles.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { refuseEmpty } from '../limits/no-targets.ts';
import type { ActionView } from './action-view.ts';
import { toActionView } from './action-view.ts';

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 200;
const SHORTEST_ID_PREFIX = 8; // as cards and tables show it; two actions alike are told

export interface ActionQuery {
  status?: string | undefined;
  server?: string | undefined;
  playbook?: string | undefined;
  failureCode?: string | undefined;
  isDeadLetter?: boolean | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** By id, or by the first eight characters of it where only one action has them. Throws `action_not_found`. */
export async function getAction(ctx: Context, asker: Asker, id: string): Promise<ActionView> {
  const isOwnOnly = authoriseReading(asker);
  const view = await findActionView(ctx, id);
  const isVisible = !isOwnOnly || view?.requestedBy === asker.principal.name;
  if (view === null || !isVisible) throw unknownAction(id);
  return view;
}

/** Newest first. An automation sees the actions that it requested. Throws `no_targets` for an empty filter. */
export async function listActions(
  ctx: Context,
  asker: Asker,
  query: ActionQuery,
): Promise<{ items: ActionView[]; next: string | null }> {
  const isOwnOnly = authoriseReading(asker);
  for (const name of ['status', 'server', 'playbook'] as const) refuseEmpty(name, query[name]);
  const page = await actions.listActions(ctx.database, {
    status: readStatus(query.status),
    server: query.server,
    playbook: query.playbook,
    failureCode: query.failureCode,
    isDeadLetter: query.isDeadLetter,
    requestedBy: isOwnOnly ? asker.principal.name : undefined,
    limit: Math.min(Math.max(query.limit ?? DEFAULT_PAGE, 1), LARGEST_PAGE),
    after: query.after === undefined ? undefined : readCursor(query.after),
  });
  return { items: page.items.map(toActionView), next: page.next === null ? null : writeCursor(page.next) };
}

/** What waits for a person, oldest first; an automation sees its own. */
export async function listWaitingActions(ctx: Context, asker: Asker, limit: number): Promise<ActionView[]> {
  const requestedBy = authoriseReading(asker) ? asker.principal.name : undefined;
  return (await actions.listWaiting(ctx.database, { requestedBy, limit })).map(toActionView);
}

/** For use cases that have authorised already. */
export async function findActionView(ctx: Context, id: string): Promise<ActionView | null> {
  if (id.includes('\0')) return null; // no text of PostgreSQL's holds it
  const row = (await actions.findActionById(ctx.database, id)) ?? (await findByPrefix(ctx, id));
  if (row === null) return null;
  const late = await listLateResults(ctx.database, row.id);
  return toActionView({ ...row, has_late_result: late.length > 0 });
}

export function unknownAction(id: string): NotFoundError {
  return new NotFoundError(`There is no action ${JSON.stringify(id.slice(0, 64))}.`, { code: 'action_not_found' });
}

async function findByPrefix(ctx: Context, prefix: string): Promise<actions.ActionWithNames | null> {
  if (prefix.length < SHORTEST_ID_PREFIX || !/^[0-9a-f-]+$/.test(prefix)) return null;
  const [only, ...others] = await actions.listIdsByPrefix(ctx.database, { prefix, limit: 2 });
  return only === undefined || others.length > 0 ? null : actions.findActionById(ctx.database, only);
}

/** True where the asker may read only what it requested itself. */
function authoriseReading(asker: Asker): boolean {
  if (mayDo(asker.roles, 'actions.read')) return false;
  if (mayDo(asker.roles, 'actions.read_own')) return true;
  authorise(asker, 'actions.read');
  return false;
}

function readStatus(status: string | undefined): ActionStatus | undefined {
  if (status === undefined) return undefined;
  const known = ACTION_STATUSES.find((name) => name === status);
  if (known !== undefined) return known;
  const hint = suggestNearest(status, ACTION_STATUSES) || ` Known: ${ACTION_STATUSES.join(', ')}.`;
  throw new InvalidInputError(`There is no status ${JSON.stringify(status.slice(0, 40))}.${hint}`, {
    code: 'unknown_status',
  });
}

function writeCursor({ requestedAt, id }: actions.ActionCursor): string {
  return Buffer.from(JSON.stringify([requestedAt.toISOString(), id])).toString('base64url');
}

function readCursor(after: string): actions.ActionCursor {
  try {
    const [at, id] = JSON.parse(Buffer.from(after, 'base64url').toString('utf8')) as [string, string];
    const requestedAt = new Date(at);
    if (Number.isNaN(requestedAt.getTime()) || typeof id !== 'string') throw new Error('not a cursor');
    return { requestedAt, id };
  } catch (cause) {
    const message = 'The cursor `after` is none that a list has given as `next`.';
    throw new InvalidInputError(message, { code: 'invalid_cursor', cause });
  }
}
