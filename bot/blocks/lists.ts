import { describeReach, haltCode } from '../../domain/halt.ts';
import { timesInRow } from '../../domain/limits.ts';
import { describeOutcome } from '../../domain/outcome-words.ts';
import { nameActor, SYSTEM_ACTOR } from '../../domain/principal.ts';
import { writeTime } from '../../domain/sentence.ts';
import type { ServerStatus } from '../../domain/liveness.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { ToldReplay } from '../../services/dead-letters/replay-many-once.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import type { HoldBackView } from '../../services/hold-backs/read-hold-backs.ts';
import type { QueuedAction, QueueView, ServerQueue } from '../../services/queue/read-queue.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { createAnswer } from './answer.ts';
import { describeAction } from './card-states.ts';
import type { Message } from './message.ts';
import { shortId } from './names.ts';
import type { Cell } from './parts.ts';
import { MAX_SENTENCE, sentenceBlock, tableBlock, writePieces } from './parts.ts';
import { toLine, writeText } from './text.ts';

/*
 * Each list is a table, and in the message's text the same as lines: for notifications, screen readers, and wherever a
 * table cannot be shown.
 */

const MAX_ROWS = 20;
const MAX_CELL = 60;
const MAX_WORDS = 150;
const UNHEARD_OF = 'nothing is heard of its agent, so what becomes of it is not known';

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

export function createDeadLetterList(actions: readonly ActionView[], server: string | undefined): Message {
  const where = server === undefined ? '' : ` on ${server}`;
  if (actions.length === 0) return createAnswer(`Nothing was given up on${where} that waits to be dealt with.`);
  return createList({
    sentence: `Given up on${where}, newest first. Use replay and the id to ask again, or dismiss, the id and a reason.`,
    headings: ['What', 'Why', 'Ended'],
    rows: actions.map((action) => ({
      cells: [
        [`${nameOf(action)} (${shortId(action.id)})`],
        [toLine(describeOutcome(action), MAX_WORDS)],
        [action.completedAt ?? ''],
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
      cells: [[cell(server.name)], stateOf(server), [workOf(server) || 'none'], pauseOf(server)],
      line: describeServer(server),
    })),
  });
}

/** What is halted and held back, then server by server what its agent holds and what waits, whose turn is next first. */
export function createQueueList(queue: QueueView): Message {
  const { waiting, executing, halts, heldBack, servers } = queue;
  const totals = `${waiting.count} of ${waiting.limit} wait, ${executing.count} of ${executing.limit} execute.`;
  const rows = [...halts.map(rowOfHalt), ...heldBack.map(rowOfHoldBack), ...servers.flatMap(rowsOfServer)];
  if (rows.length === 0) return createAnswer('Nothing waits, and nothing executes.');
  return createList({ sentence: totals, headings: ['What', 'Since', 'Why it waits'], rows });
}

interface ListRow {
  cells: readonly Cell[];
  line: string;
}

function rowOfHalt(halt: HaltView): ListRow {
  const what = toLine(describeReach(halt), MAX_WORDS);
  const why = toLine(`by ${halt.declaredBy}: ${halt.reason}`, MAX_WORDS);
  return { cells: [[what], [halt.declaredAt], [why]], line: `${what} ${why}` };
}

function rowOfHoldBack({ playbook, server, failures, since, deadLetter }: HoldBackView): ListRow {
  const what = `${cell(playbook)} on ${cell(server)}`;
  const why = `held back: it failed ${timesInRow(failures)}; replay or dismiss ${shortId(deadLetter)}`;
  return { cells: [[what], [since], [why]], line: `${what} is ${why}` };
}

function rowsOfServer({ server, status, held, actions, waiting }: ServerQueue): ListRow[] {
  const nameOfWork = (work: { id: string; playbook: string }): string =>
    `${cell(work.playbook)} on ${cell(server)} (${shortId(work.id)})`;
  const rowOf = (work: QueuedAction): ListRow => {
    const why = toLine(work.why.sentence, MAX_WORDS);
    const until = work.until === null ? [] : [', until ', work.until];
    const times = writePieces(['since ', work.since, ...until]);
    const line = `${nameOfWork(work)}, ${work.status} ${times}: ${why}`;
    return { cells: [[nameOfWork(work)], [work.since, ...until], [why]], line };
  };
  const running = held === null ? [] : [rowOfHeld(nameOfWork(held), { since: held.since, status })];
  const left = waiting.count - actions.filter(({ status }) => status !== 'executing').length;
  const more = `${left} more on ${cell(server)}`;
  const rest = left > 0 ? [{ cells: [[more], ['–'], ['they wait for those before them']], line: more }] : [];
  return [...running, ...actions.map(rowOf), ...rest];
}

function rowOfHeld(what: string, { since, status }: { since: Date; status: ServerStatus }): ListRow {
  const why = status === 'online' ? 'it does not: it was handed to its agent' : UNHEARD_OF;
  const unheard = status === 'online' ? '' : `: ${UNHEARD_OF}`;
  return { cells: [[what], [since], [why]], line: writePieces([`${what}: handed to its agent `, since, unheard]) };
}

/** What came of the replay of many, the latest first. */
export function createReplayList(told: readonly ToldReplay[]): Message {
  const done = told.filter(({ replayedAs }) => replayedAs !== null).length;
  const verb = told.length === 1 ? 'dead letter is' : 'dead letters are';
  return createList({
    sentence: `${done} of ${told.length} ${verb} asked for again, each as an action of its own.`,
    headings: ['Dead letter', 'New action', 'What came of it'],
    rows: told.map(({ id, replayedAs, sentence }) => {
      const words = toLine(sentence, MAX_WORDS);
      const anew = replayedAs === null ? 'none' : shortId(replayedAs);
      return { cells: [[shortId(id)], [anew], [words]], line: `${shortId(id)}, as ${anew}: ${words}` };
    }),
  });
}

/** In one line; times in UTC. */
export function describeServer(server: ServerView): string {
  const work = workOf(server);
  const paused = server.paused ? `, paused by ${writePieces(pauseOf(server))}` : '';
  return `${server.name}: ${writePieces(stateOf(server))}${work === '' ? '' : `, ${work}`}${paused}`;
}

/** `ana: a move, until …` */
function pauseOf(server: ServerView): Cell {
  if (!server.paused) return ['no'];
  const who = `${cell(server.pausedBy ?? 'somebody')}: ${toLine(server.pauseReason ?? 'no reason', MAX_WORDS)}`;
  return server.pausedUntil === null ? [who] : [`${who}, until `, server.pausedUntil];
}

function stateOf(server: ServerView): Cell {
  if (server.revokedAt !== null) return ['revoked'];
  const status = server.status === 'never_seen' ? 'never seen' : server.status;
  const state = server.halt === null ? status : `${status}, ${haltCode(server.halt)}`;
  return server.journalDamagedAt === null ? [state] : [`${state}, journal damaged on `, server.journalDamagedAt];
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

/** Its status in words, with what is worth more. */
function standing(action: ActionView): string {
  const unknown = action.unknownSince === null ? '' : `, unknown since ${writeTime(action.unknownSince)}`;
  switch (action.status) {
    case 'pending':
      return action.approvalsRequired === 0
        ? "needs nobody's approval, waits to start"
        : `waits for approval (${action.approvals.length} of ${action.approvalsRequired})`;
    case 'approved':
      return `approved, ${action.handedOutAt === null ? 'waits to start' : 'handed to its agent'}${unknown}`;
    case 'executing':
      if (action.nextAttemptAt !== null)
        return `to be tried again (attempt ${action.attempt} of ${action.maxAttempts})${unknown}`;
      return action.unknownSince === null ? 'running' : `not heard of${unknown}`;
    case 'completed':
      return `completed${action.exitCode === null ? '' : `, exit code ${action.exitCode}`}`;
    case 'rejected':
      return action.rejectedBy === SYSTEM_ACTOR
        ? 'rejected by its rule, as nobody decided in time'
        : `rejected by ${action.rejectedBy ?? 'somebody'}`;
    case 'failed':
    case 'expired':
      return `${action.status}: ${describeOutcome(action)}`;
    case 'cancelled':
      return action.failureCode === null && !action.mayHaveRun
        ? `cancelled by ${nameActor(action.cancelledBy)}`
        : `cancelled: ${describeOutcome(action)}`;
  }
}

function createList(list: { sentence: string; headings: readonly string[]; rows: readonly ListRow[] }): Message {
  const shown = list.rows.slice(0, MAX_ROWS);
  const sentence = toLine(list.sentence, MAX_SENTENCE);
  const left = list.rows.length > shown.length ? ['… and more'] : [];
  const lines = [sentence, ...shown.map(({ line }) => `• ${toLine(line, 200)}`), ...left];
  return {
    text: writeText(lines),
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
