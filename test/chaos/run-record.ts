import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent } from '../../domain/audit.ts';
import { verifyChain } from '../../protocol/audit-chain.ts';
import { checkRun } from '../checker/check-run.ts';
import type { Click } from '../checker/evidence.ts';
import type { Call } from '../support/api-caller.ts';
import { gatherEvidence } from '../support/gather-evidence.ts';
import { poll } from '../support/poll.ts';
import type { ProcessStack } from '../support/process-stack.ts';

/** Begins the ids of commands that a test put into a journal, and no control plane ever issued. */
export const FILLER = 'filler-';

/** What a run left behind, in each of the places that have to agree. */
export interface RunRecord {
  actions: readonly ActionRow[];
  /** The lines of the marker file: what really ran. */
  starts: ReadonlyMap<string, number>;
  ends: ReadonlyMap<string, number>;
  events: readonly AuditEvent[];
  chain: Awaited<ReturnType<typeof verifyChain>>;
  commands: readonly { id: string; action_id: string; status: string | null }[];
  /** Of each agent's journal: how often each kind of record stands there for each command. */
  journals: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Messages that Slack is still owed. */
  owed: number;
}

export interface ActionRow {
  id: string;
  status: string;
  failure_code: string | null;
  playbook: string;
  batch_id: string | null;
}

const ENDS_MS = 120_000; // a lost agent is noticed after one minute, and given up after another
const ACKNOWLEDGED_MS = 20_000; // an agent that is backing off calls again within this time
const LATE_S = 120; // whoever is to enforce a bound is killed and comes back on a busy machine
const ENDS = ['completed', 'failed', 'rejected', 'expired', 'cancelled'];

/** Waits until everything that was asked has ended; rejects with what has not, and how far it came. */
export async function waitForEnds(stack: ProcessStack): Promise<void> {
  let open: readonly string[] = [];
  const areAllEnded = async (): Promise<boolean> => (open = await listOpen(stack)).length === 0;
  await poll('every action to end', areAllEnded, { timeoutMs: ENDS_MS }).catch((error: unknown) => {
    throw new Error(`${String(error)}; still open: ${open.join('; ')}`, { cause: error });
  });
}

async function listOpen({ database }: ProcessStack): Promise<string[]> {
  const { rows } = await database.pool.query<{ line: string }>(
    `select concat_ws(' ', actions.id, actions.playbook, 'on', servers.name, actions.status,
       'asked at', actions.requested_at, 'approved at', actions.approved_at, 'commands',
       (select string_agg(concat_ws(' ', commands.id, commands.state, 'to start before', commands.exp), ', ')
          from commands where commands.action_id = actions.id)) as line
     from actions join servers on servers.id = actions.server_id where not actions.status = any($1)`,
    [ENDS],
  );
  return rows.map(({ line }) => line);
}

async function countOwed({ database }: ProcessStack): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    'select count(*)::int as count from slack_outbox where sent_at is null',
  );
  return rows[0]?.count ?? 0;
}

/**
 * Once all that was asked has ended and Slack is told of it: what the run left behind, and what is wrong with it. An
 * agent hears a moment after the end that its result was taken, so what is wrong is looked at again for a while. The
 * checker judges the same by the log, the journals and the processes alone.
 */
export async function judgeInTheEnd(
  stack: ProcessStack,
  input: { accepted: readonly string[]; clicks?: readonly Click[]; slackMs: number },
): Promise<{ record: RunRecord; breaches: string[] }> {
  await waitForEnds(stack);
  await poll('Slack to be told', async () => (await countOwed(stack)) === 0, { timeoutMs: input.slackMs });
  const auditor = await stack.as({ principal: 'eve', role: 'auditor' });
  for (const deadline = performance.now() + ACKNOWLEDGED_MS; ;) {
    const record = await readRun(stack, auditor);
    const breaches = [...judgeRun(record, input.accepted), ...(await checkIndependently(stack, input.clicks))];
    if (breaches.length === 0 || performance.now() > deadline) return { record, breaches };
    await delay(500);
  }
}

async function checkIndependently(stack: ProcessStack, clicks: readonly Click[] = []): Promise<string[]> {
  const pem = stack.env['MEDIC_SIGNING_KEY']?.replaceAll('\\n', '\n') ?? '';
  const { pool } = stack.database;
  const agents = stack.servers().map((name) => ({ name, folder: stack.agentDir(name) }));
  const keys = [createPublicKey(pem).export({ format: 'jwk' })];
  const { journals, ...evidence } = await gatherEvidence({ pool, agents, keys });
  const violations = checkRun({
    ...evidence,
    journals: journals.map(({ name, lines }) => ({ name, lines: lines.filter((line) => !line.includes(FILLER)) })),
    processes: listStarts(stack),
    clicks,
    underWay: [],
    lateS: LATE_S,
  });
  return violations.map(({ invariant, where, sentence }) => `${invariant} ${where}: ${sentence}`);
}

async function readRun(stack: ProcessStack, auditor: Call): Promise<RunRecord> {
  const { pool } = stack.database;
  const actions = await pool.query<ActionRow>('select id, status, failure_code, playbook, batch_id from actions');
  const commands = await pool.query<{ id: string; action_id: string; status: string | null }>(
    'select commands.id, commands.action_id, results.status from commands ' +
      'left join results on results.command_id = commands.id and not results.is_late',
  );
  const events = await readAudit(auditor);
  const marks = readMarks(stack);
  return {
    actions: actions.rows,
    commands: commands.rows,
    starts: countBy(marks.matchAll(/^start (\S+)/gm)),
    ends: countBy(marks.matchAll(/^end (\S+)/gm)),
    events,
    chain: await verifyChain(events.map((event) => JSON.stringify(event))),
    journals: new Map(
      stack.servers().map((server) => [server, readJournal(join(stack.agentDir(server), 'journal.jsonl'))]),
    ),
    owed: await countOwed(stack),
  };
}

/** Ids of the commands that left a mark when they started, once for each start. */
export function listStarts(stack: Pick<ProcessStack, 'marker'>): string[] {
  return [...readMarks(stack).matchAll(/^start (\S+)/gm)].map(([, commandId = '']) => commandId);
}

function readMarks({ marker }: Pick<ProcessStack, 'marker'>): string {
  return existsSync(marker) ? readFileSync(marker, 'utf8') : '';
}

async function readAudit(auditor: Call): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (let after = ''; ;) {
    const page = (await auditor('GET', `/api/v1/audit?limit=1000${after}`)) as {
      items: AuditEvent[];
      next: string | null;
    };
    events.push(...page.items);
    if (page.next === null) return events;
    after = `&after=${page.next}`;
  }
}

function readJournal(path: string): Map<string, number> {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const records = lines.flatMap((line) => {
    const [, kind = '', id = ''] = /"kind":"(\w+)","command_id":"([^"]+)"/.exec(line) ?? [];
    return kind === '' ? [] : [[line, `${kind} ${id}`] as unknown as RegExpMatchArray];
  });
  return countBy(records);
}

function countBy(matches: Iterable<RegExpMatchArray>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, key = ''] of matches) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/**
 * What must hold of every run, whoever was killed in it; a sentence for each breach. `accepted` are the ids that were
 * answered to somebody.
 */
function judgeRun(record: RunRecord, accepted: readonly string[]): string[] {
  const { actions, chain, owed } = record;
  const known = new Set(actions.map(({ id }) => id));
  return [
    ...(chain.isIntact ? [] : [`the audit chain is broken: ${chain.sentence}`]),
    ...(owed === 0 ? [] : [`Slack is still owed ${String(owed)} messages`]),
    ...accepted.filter((id) => !known.has(id)).map((id) => `${id} was accepted and is lost`),
    ...(known.size === new Set(accepted).size
      ? []
      : [`${String(accepted.length)} were asked for, ${String(known.size)} stand`]),
    ...actions.flatMap((action) => judgeAction(record, action)),
    ...[...record.journals].flatMap(([server, kinds]) => judgeJournal(record, server, kinds)),
  ];
}

function judgeAction({ events, commands, starts, ends }: RunRecord, action: ActionRow): string[] {
  const { id, status, playbook } = action;
  const say = (what: string): string => `${id} (${playbook}, ${status} ${action.failure_code ?? ''}) ${what}`;
  const own = events.filter(({ subject }) => subject.id === id).map(({ event }) => event);
  const ended = own.filter((event) => ENDS.includes(event.replace('action.', '')));
  const ids = commands.filter((command) => command.action_id === id).map((command) => command.id);
  const started = ids.reduce((sum, command) => sum + (starts.get(command) ?? 0), 0);
  const finished = ids.reduce((sum, command) => sum + (ends.get(command) ?? 0), 0);
  const isCompleted = status === 'completed';
  const neverRuns = ['rejected', 'expired', 'pending'].includes(status);
  return [
    ...(ENDS.includes(status) ? [] : [say('never ended')]),
    ...(ended.length === 1 && ended[0] === `action.${status}`
      ? []
      : [say(`has the ends ${ended.join(', ')} in the audit`)]),
    ...(own.filter((event) => event === 'action.requested').length === 1 ? [] : [say('was not asked for once')]),
    ...(started <= 1 ? [] : [say(`was started ${String(started)} times`)]),
    ...(isCompleted && (started !== 1 || finished !== 1) ? [say('is completed and did not run once')] : []),
    ...(neverRuns && started > 0 ? [say('ran')] : []),
  ];
}

function judgeJournal({ commands, starts }: RunRecord, server: string, kinds: ReadonlyMap<string, number>): string[] {
  const say = (id: string, what: string): string => `command ${id} on ${server} ${what}`;
  return commands.flatMap(({ id, status }) => {
    const count = (kind: string): number => kinds.get(`${kind} ${id}`) ?? 0;
    if (count('received') === 0) return [];
    return [
      ...(count('intent') <= 1 ? [] : [say(id, 'was meant to run twice')]),
      ...((starts.get(id) ?? 0) <= count('intent') ? [] : [say(id, 'ran without an intent')]),
      ...(count('exited') === 1 ? [] : [say(id, `ended ${String(count('exited'))} times`)]),
      ...(status !== null && count('acknowledged') === 0 ? [say(id, 'was never acknowledged')] : []),
    ];
  });
}
