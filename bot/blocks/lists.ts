import type { ActionView } from '../../services/actions/action-view.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { createAnswer } from './answer.ts';
import type { Message } from './message.ts';
import { shortId } from './names.ts';
import { describeAction } from './sentences.ts';

const MAX_ROWS = 20;

export function createPendingList(actions: readonly ActionView[]): Message {
  if (actions.length === 0) return createAnswer('Nothing waits for approval.');
  const count = actions.length === 1 ? 'One action waits' : `${many(actions.length)} actions wait`;
  return createAnswer(
    `${count} for approval. Decide on the card, or with approve and reject and the id.`,
    rowsOf(actions),
  );
}

export function createHistory(actions: readonly ActionView[], server: string | undefined): Message {
  const where = server === undefined ? '' : ` on ${server}`;
  if (actions.length === 0) return createAnswer(`Nothing was asked for${where} yet.`);
  return createAnswer(`The latest actions${where}, newest first:`, rowsOf(actions));
}

export function createServerList(servers: readonly ServerView[]): Message {
  if (servers.length === 0) return createAnswer('There are no servers yet: enrol one with `medic servers enroll`.');
  const lines = servers.slice(0, MAX_ROWS).map(describeServer);
  const more = servers.length > MAX_ROWS ? `, the first ${MAX_ROWS} shown` : '';
  return createAnswer(`${servers.length === 1 ? 'One server' : `${many(servers.length)} servers`}${more}:`, lines);
}

export function describeServer(server: ServerView): string {
  const state = server.status === 'never_seen' ? 'never seen' : server.status;
  const paused = server.paused
    ? `, paused by ${server.pausedBy ?? 'somebody'}: ${server.pauseReason ?? 'no reason'}`
    : '';
  const work = server.running.length > 0 ? ', running something' : '';
  const queued = server.queued > 0 ? `, ${server.queued} waiting` : '';
  return `${server.name}: ${state}${work}${queued}${paused}`;
}

function rowsOf(actions: readonly ActionView[]): string[] {
  const rows = actions.slice(0, MAX_ROWS).map((action) => `${shortId(action.id)}: ${describeAction(action)}`);
  const left = actions.length - rows.length;
  return left > 0 ? [...rows, `… and more`] : rows;
}

function many(count: number): string {
  return count > MAX_ROWS ? `More than ${MAX_ROWS}` : String(count);
}
