import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredMessage } from '../../sandbox/slack/workspace.ts';
import type { Click } from '../checker/evidence.ts';
import { askUntilAnswered, CallRefused } from '../support/api-caller.ts';
import { poll } from '../support/poll.ts';
import type { ActionJson } from '../support/process-stack.ts';
import type { CellStage } from './cell-stage.ts';
import { CHANNEL, tell } from './crash-stage.ts';
import type { FaultCell } from './fault-cells.ts';
import { listStarts } from './run-record.ts';

/** What came of one cell. */
export interface CellOutcome {
  cell: string;
  outageMs: number;
  /** From the end of the outage until a repair started that had not, where it was. */
  firstStartMs: number;
  /** That, over the start of a process and a lease. */
  ratio: number;
  /** A sentence for each thing that was lost, doubled or told wrongly. */
  breaches: string[];
}

export const MOST_RATIO = 1.2;
/** Nothing that leads to a start waits longer before it tries again: agent/backoff.ts, workflows/action.workflow.ts. */
const LEASE_MS = 60_000;
const PATIENCE_MS = 120_000; // for what takes seconds
const TOLD_MS = 20_000; // whoever clicked is told by then what came of it, whatever is away
const ASKED_AGAIN_MS = 500; // between two clicks of a person who is told to try again
const TAKEN = /^You approved|is recorded/;
const REFUSED = /^The database is away|cannot be reached, or takes nothing more/;

/** What somebody heard: it is kept; it is not there; or nothing, and then it may be either. */
export type Heard = 'taken' | 'refused' | 'nothing';

interface Asked {
  body: { server: string; playbook: string; params: object; reason: string };
  key: string;
  heard: Heard;
}

/** What one server has to do in one cell. */
interface Talk {
  stage: CellStage;
  cell: FaultCell;
  server: string;
  /** Ids of all that was taken. */
  ids: string[];
  /** Wait for a person, one for each time that is asked meanwhile. */
  waiting: string[];
  asked: Asked[];
  clicked: { id: string; heard: Heard }[];
  breaches: string[];
}

/**
 * One request before the outage, which runs into it; `times` in it one more and an approval; one after it. Everything is
 * to complete, whatever was away.
 */
export async function runCell(
  stage: CellStage,
  cell: FaultCell,
  { outageMs, times = 1 }: { outageMs: number; times?: number },
): Promise<CellOutcome> {
  tell(`${cell.slug}: before`);
  await cell.prepare?.(stage);
  const talks = await Promise.all(cell.servers.map((server) => begin({ stage, cell, server, times })));
  const lastsMs = Math.max(outageMs, cell.leastMs ?? 0);
  const begunAt = performance.now();
  const over = (share: number): Promise<void> => delay(Math.max(0, begunAt + lastsMs * share - performance.now()));
  tell(`${cell.slug}: away`);
  try {
    await cell.begin(stage);
    stage.openGate(cell.slug);
    for (let time = 0; time < times; time++) {
      await Promise.all(talks.map((talk) => askMeanwhile(talk, time)));
      await over((time + 1) / times);
    }
  } finally {
    await cell.end(stage);
  }
  const endedAt = performance.now();
  tell(`${cell.slug}: back after ${String(Math.round(endedAt - begunAt))} ms`);
  const firstStartMs = Math.max(...(await Promise.all(talks.map(askAfterwards)))) - endedAt;
  tell(`${cell.slug}: started ${String(Math.round(firstStartMs))} ms later`);
  for (const talk of talks) await finish(talk);
  tell(`${cell.slug}: ended`);
  return {
    cell: cell.name,
    outageMs: Math.round(endedAt - begunAt),
    firstStartMs: Math.round(firstStartMs),
    ratio: firstStartMs / (stage.stack.startMs + LEASE_MS),
    breaches: talks.flatMap(({ breaches }) => breaches),
  };
}

/** `web-1 …: 8123 ms = 0.13 × (process start + lease)`, and what was wrong. */
export function describeOutcome({ cell, outageMs, firstStartMs, ratio, breaches }: CellOutcome): string {
  const outage = `${cell}, for ${(outageMs / 1000).toFixed(1)} s`;
  const start = `first new start ${(firstStartMs / 1000).toFixed(2)} s after it, ${ratio.toFixed(3)} of the bound`;
  return [`${outage}: ${start}`, ...breaches.map((breach) => `  BREACH ${breach}`)].join('\n');
}

/** Something runs, and something waits for a person, who sees it. */
async function begin(input: Pick<Talk, 'stage' | 'cell' | 'server'> & { times: number }): Promise<Talk> {
  const { stage, cell, server, times } = input;
  const talk: Talk = { stage, cell, server, ids: [], waiting: [], asked: [], clicked: [], breaches: [] };
  for (let time = 0; time < times; time++) {
    const asked = ask(talk, { playbook: `waiting-${cell.slug}`, reason: `to be decided ${String(time)}` });
    talk.waiting.push(await repeat(talk, asked));
  }
  const held = await repeat(talk, ask(talk, { playbook: `held-${cell.slug}`, reason: 'before' }));
  await poll(`${held} to start`, async () => (await listStarted(talk, new Set())).includes(held), {
    timeoutMs: PATIENCE_MS,
  });
  if (cell.decides === 'in Slack') for (const id of talk.waiting) await waitForCard(stage, id);
  return talk;
}

async function askMeanwhile(talk: Talk, time: number): Promise<void> {
  const id = talk.waiting[time];
  if (id === undefined) throw new Error(`nothing waits for time ${String(time)}`);
  const asked = ask(talk, { playbook: 'quick-repair', reason: `meanwhile ${String(time)}` });
  talk.asked.push(asked);
  const [heard, heardOfClick] = await Promise.all([askOnce(talk, asked), decideOnce(talk, id)]);
  asked.heard = heard;
  if (!talk.cell.hears.includes(heard)) talk.breaches.push(`a request heard “${heard}”, as if nothing was away`);
  talk.clicked.push({ id, heard: heardOfClick });
  tell(`${talk.cell.slug}: a request heard ${heard}, an approval ${heardOfClick}`);
}

/** When the first repair started that had not before. */
async function askAfterwards(talk: Talk): Promise<number> {
  const before = new Set(listStarts(talk.stage.stack));
  const [startedAt] = await Promise.all([
    waitForStart(talk, before),
    repeat(talk, ask(talk, { playbook: 'quick-repair', reason: 'after' })),
  ]);
  return startedAt;
}

/** Who was refused, or heard nothing, acts again; then all of it ends, and nothing else is there. */
async function finish(talk: Talk): Promise<void> {
  const { stage, breaches } = talk;
  for (const asked of talk.asked) {
    const isRefused = asked.heard === 'refused';
    if (isRefused && (await count(stage, COUNT_ASKED, asked.body.reason)) > 0) {
      breaches.push(`“${asked.body.reason}” was refused and is there`);
    }
    if (asked.heard !== 'taken') await repeat(talk, asked);
  }
  for (const { id, heard } of talk.clicked) {
    if (heard === 'refused' && (await count(stage, COUNT_DECIDED, id)) > 0) {
      breaches.push(`the approval of ${id} was refused and is there`);
    }
    if (heard !== 'taken') await decideAgain(talk, id);
  }
  for (const id of talk.ids) {
    const { status, failure_code: code } = await waitForEnd(stage, id);
    if (status !== 'completed') breaches.push(`${id} is ${status} ${code ?? ''}`);
  }
  for (const { id } of talk.clicked) {
    const approvals = await count(stage, COUNT_APPROVED, id);
    if (approvals !== 1) breaches.push(`${id} was approved ${String(approvals)} times`);
  }
}

const COUNT_ASKED = 'select count(*)::int as count from actions where reason = $1';
const COUNT_DECIDED = 'select count(*)::int as count from decisions where action_id = $1';
const COUNT_APPROVED = `select count(*)::int as count from decisions where action_id = $1 and status = 'applied'`;

async function count({ stack }: CellStage, sql: string, value: string): Promise<number> {
  const { rows } = await stack.database.pool.query<{ count: number }>(sql, [value]);
  return rows[0]?.count ?? 0;
}

/** The reason is its own, so that it is known again. */
function ask({ cell, server }: Talk, { playbook, reason }: { playbook: string; reason: string }): Asked {
  const body = { server, playbook, params: {}, reason: `${cell.slug} on ${server}: ${reason}` };
  return { body, key: randomUUID(), heard: 'nothing' };
}

async function askOnce(talk: Talk, { body, key }: Asked): Promise<Heard> {
  try {
    accept(talk, (await talk.stage.ana('POST', '/api/v1/actions', body, key)) as ActionJson);
    return 'taken';
  } catch (error) {
    return hearRefusal(error);
  }
}

/** Until it is answered; one key is one action. */
async function repeat(talk: Talk, { body, key }: Asked): Promise<string> {
  const call = { method: 'POST', path: '/api/v1/actions', body };
  return accept(talk, (await askUntilAnswered(talk.stage.ana, call, key)) as ActionJson);
}

function note({ clicks }: CellStage, click: Omit<Click, 'at'>): void {
  clicks.push({ ...click, at: new Date().toISOString() });
}

function accept({ stage, ids }: Talk, { id }: ActionJson): string {
  ids.push(id);
  stage.accepted.push(id);
  note(stage, { action_id: id, kind: 'request', who: 'ana' });
  return id;
}

/** Only what says so is a refusal: where a connection breaks, nobody knows. */
function hearRefusal(error: unknown): Heard {
  if (!(error instanceof CallRefused)) return 'nothing';
  if (error.code === 'database_away') return 'refused';
  throw error;
}

function decideOnce(talk: Talk, id: string): Promise<Heard> {
  return talk.cell.decides === 'in Slack' ? click(talk, id) : approve(talk, id);
}

/** Where nobody heard what came of it, it may have been taken after all. */
async function decideAgain(talk: Talk, id: string): Promise<void> {
  await poll(`the approval of ${id} to be taken`, async () => {
    if ((await readAction(talk.stage, id))?.status !== 'pending') return true;
    if ((await decideOnce(talk, id)) === 'taken') return true;
    await delay(ASKED_AGAIN_MS);
    return false;
  });
}

async function approve({ stage }: Talk, id: string): Promise<Heard> {
  try {
    await stage.cid('POST', `/api/v1/actions/${id}/approve`, {});
    note(stage, { action_id: id, kind: 'approve', who: 'cid' });
    return 'taken';
  } catch (error) {
    return hearRefusal(error);
  }
}

/** What Bob is told, whom nobody tells of anything else meanwhile. */
async function click({ stage }: Talk, id: string): Promise<Heard> {
  const { slack } = stage;
  const card = slack.messages(CHANNEL).find((message) => isCardOf(message, id));
  if (card === undefined) throw new Error(`there is no card of ${id}`);
  const before = slack.ephemerals('U0BOB').length;
  const button = { channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' };
  const { acknowledged } = await slack.click({ user: 'U0BOB', ...button });
  if (!acknowledged) return 'nothing';
  const isTold = () => slack.ephemerals('U0BOB')[before]?.text;
  const told = await slack.waitFor(isTold, { timeoutMs: TOLD_MS, what: 'Bob to be told what came of his click' });
  if (TAKEN.test(told)) {
    note(stage, { action_id: id, kind: 'approve', who: 'bob' });
    return 'taken';
  }
  return REFUSED.test(told) ? 'refused' : 'nothing';
}

const isCardOf = ({ metadata }: StoredMessage, id: string): boolean => JSON.stringify(metadata ?? '').includes(id);

async function waitForCard({ slack }: CellStage, id: string): Promise<void> {
  const isThere = () => slack.messages(CHANNEL).some((message) => isCardOf(message, id));
  await slack.waitFor(isThere, { timeoutMs: PATIENCE_MS, what: `the card of ${id}` });
}

async function readAction({ stack }: CellStage, id: string): Promise<ActionJson | undefined> {
  const { rows } = await stack.database.pool.query<ActionJson>('select * from actions where id = $1', [id]);
  return rows[0];
}

function waitForEnd(stage: CellStage, id: string): Promise<ActionJson> {
  const find = async (): Promise<ActionJson | false> => {
    const action = await readAction(stage, id);
    return action !== undefined && !['pending', 'approved', 'executing'].includes(action.status) && action;
  };
  return poll(`${id} to end`, find, { timeoutMs: PATIENCE_MS });
}

async function waitForStart(talk: Talk, before: ReadonlySet<string>): Promise<number> {
  let at = 0;
  const hasStarted = async (): Promise<boolean> => {
    at = performance.now();
    return (await listStarted(talk, before)).length > 0;
  };
  await poll(`a new start on ${talk.server}`, hasStarted, { timeoutMs: PATIENCE_MS });
  return at;
}

/** Ids of this server's actions that started, but those whose command was marked `before`. */
async function listStarted({ stage, server }: Talk, before: ReadonlySet<string>): Promise<string[]> {
  const marks = listStarts(stage.stack).filter((id) => !before.has(id));
  if (marks.length === 0) return [];
  const { rows } = await stage.stack.database.pool.query<{ action_id: string }>(
    `select action_id from commands join servers on servers.id = commands.server_id
     where servers.name = $1 and commands.id = any($2)`,
    [server, marks],
  );
  return rows.map((row) => row.action_id);
}
