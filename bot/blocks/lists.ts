import type { ActionView } from '../../services/actions/action-view.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { createAnswer } from './answer.ts';
import { describeAction } from './card-states.ts';
import type { Message } from './message.ts';
import { shortId } from './names.ts';
import type { Cell } from './parts.ts';
import { MAX_SENTENCE, sentenceBlock, tableBlock, writePieces } from './parts.ts';
import { escapeWithin, toLine } from './text.ts';

/*
 * Each list is a table, and in the message's text the same as lines: for notifications, screen readers, and wherever a
 * table cannot be shown.
 */

const MAX_ROWS = 20;
const MAX_CELL = 60;
const MAX_WORDS = 150;
const MAX_TEXT = 4_000; // Slack's advice for `text`

export function createPendingList(actions: readonly ActionView[]): Message {
  if (actions.length === 0) return createAnswer('Nothing waits for approval.');
  const count = actions.length === 1 ? 'One action waits' : `${many(actions.length)} actions wait`;
  return createList({
    sentence: `${count} for approval. Decide on the card, or with approve and reject and the id.`,
    headings: ['What', 'Asked by', 'Approvals', 'Expires'],
    rows: actions.map((action) => ({
      cells: [
        [`${nameOf(action)}, risk ${action.risk}`],
        [cell(action.requestedBy)],
        [`${action.approvals.length} of ${action.approvalsRequired}`],
        [action.expiresAt ?? 'never'],
      ],
      line: `${shortId(action.id)}: ${describeAction(action)}`,
    })),
  });
}

export function createHistory(actions: readonly ActionView[], server: string | undefined): Message {
  const where = server === undefined ? '' : ` on ${server}`;
  if (actions.length === 0) return createAnswer(`Nothing was asked for${where} yet.`);
  return createList({
    sentence: `The latest actions${where}, newest first:`,
    headings: ['What', 'How it stands', 'Asked'],
    rows: actions.map((action) => ({
      cells: [
        [nameOf(action)],
        [toLine(standing(action), MAX_WORDS)],
        [`${cell(action.requestedBy)}, `, action.requestedAt],
      ],
      line: `${shortId(action.id)}: ${describeAction(action)}`,
    })),
  });
}

export function createServerList(servers: readonly ServerView[]): Message {
  if (servers.length === 0) return createAnswer('There are no servers yet: enrol one with `medic servers enroll`.');
  const more = servers.length > MAX_ROWS ? `, the first ${MAX_ROWS} shown` : '';
  return createList({
    sentence: `${servers.length === 1 ? 'One server' : `${many(servers.length)} servers`}${more}:`,
    headings: ['Server', 'State', 'Work', 'Paused'],
    rows: servers.map((server) => ({
      cells: [[cell(server.name)], [stateOf(server)], [workOf(server) || 'none'], pauseOf(server)],
      line: describeServer(server),
    })),
  });
}

/** In one line; times in UTC. */
export function describeServer(server: ServerView): string {
  const work = workOf(server);
  const paused = server.paused ? `, paused by ${writePieces(pauseOf(server))}` : '';
  return `${server.name}: ${stateOf(server)}${work === '' ? '' : `, ${work}`}${paused}`;
}

/** `ana: a move, until …` */
function pauseOf(server: ServerView): Cell {
  if (!server.paused) return ['no'];
  const who = `${cell(server.pausedBy ?? 'somebody')}: ${toLine(server.pauseReason ?? 'no reason', MAX_WORDS)}`;
  return server.pausedUntil === null ? [who] : [`${who}, until `, server.pausedUntil];
}

function stateOf(server: ServerView): string {
  return server.status === 'never_seen' ? 'never seen' : server.status;
}

function workOf(server: ServerView): string {
  // of one that is silent only the last word is known, and that is old
  const isRunning = server.status === 'online' && server.running.length > 0;
  const running = isRunning ? ['running something'] : [];
  return [...running, ...(server.queued > 0 ? [`${server.queued} waiting`] : [])].join(', ');
}

/** Few columns, so that a phone shows them side by side. */
function nameOf(action: ActionView): string {
  return `${cell(action.playbook)} on ${cell(action.server)} (${shortId(action.id)})`;
}

/** Its status in a word, with what is worth more. */
function standing(action: ActionView): string {
  if (action.status === 'pending')
    return `waits for approval (${action.approvals.length} of ${action.approvalsRequired})`;
  if (action.status === 'rejected') return `rejected by ${action.rejectedBy ?? 'somebody'}`;
  const code = action.failureCode === null ? '' : `, ${action.failureCode}`;
  const exit = action.exitCode === null ? '' : `, exit code ${action.exitCode}`;
  return `${action.status}${code}${exit}`;
}

function createList(list: {
  sentence: string;
  headings: readonly string[];
  rows: readonly { cells: readonly Cell[]; line: string }[];
}): Message {
  const shown = list.rows.slice(0, MAX_ROWS);
  const sentence = toLine(list.sentence, MAX_SENTENCE);
  const left = list.rows.length > shown.length ? ['… and more'] : [];
  const lines = [sentence, ...shown.map(({ line }) => `• ${toLine(line, 200)}`), ...left];
  return {
    text: escapeWithin(lines.join('\n'), MAX_TEXT),
    blocks: [
      sentenceBlock(sentence),
      tableBlock({ headings: list.headings, rows: shown.map(({ cells }) => cells) }),
      ...left.map((words) => sentenceBlock(words)),
    ],
  };
}

function cell(text: string): string {
  return toLine(text, MAX_CELL);
}

function many(count: number): string {
  return count > MAX_ROWS ? `More than ${MAX_ROWS}` : String(count);
}
