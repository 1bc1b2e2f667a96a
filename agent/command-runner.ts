import type { CommandPayload, CommandResult, Running } from '../protocol/messages.ts';
import { buildInterruption, buildRefusal } from './build-result.ts';
import { isOutOfRoom } from './disk-reserve.ts';
import type { JournalRecord } from './journal-state.ts';
import type { Plan } from './judge-command.ts';
import { killCommand } from './process-tree.ts';
import { runCommand } from './running-command.ts';
import type { RunContext, RunningCommand } from './running-command.ts';
import { createUnsavedResults } from './unsaved-results.ts';
import type { UnsavedResults } from './unsaved-results.ts';

const DEFAULT_GRACE_MS = 5_000; // between SIGTERM and SIGKILL

export interface CommandRunner {
  readonly isBusy: boolean;
  listRunning(): Running[];
  /** To be sent, oldest first: those of the journal, then those that stand in memory only. */
  listResults(): CommandResult[];
  /** Whether it was received before, so that it must not be started; sends its state again. */
  recallKnown(commandId: string): boolean;
  refuse(input: { payload: CommandPayload; kid: string; code: string; reason: string }): Promise<void>;
  /** A refusal that leaves no trace in the journal. */
  refuseWithoutTrace(input: { commandId: string; attempt: number; code: string }): void;
  /** Returns once a process runs or all is over; the result comes by `onChange`. Does nothing while one runs. */
  start(input: { payload: CommandPayload; kid: string; plan: Plan }): Promise<void>;
  cancel(commandId: string): void;
  acknowledge(commandIds: readonly string[]): Promise<void>;
  /** After a start: what has no result is ended for good, and never run again. */
  recover(): Promise<void>;
  /** Ends what runs as `interrupted`. */
  stop(): Promise<void>;
}

interface Runner {
  context: RunContext;
  unsaved: UnsavedResults;
  current?: RunningCommand;
  /** Settled when the result of what runs is recorded. */
  isOver: Promise<void>;
  /** From the moment a command is accepted, before its intent is on disk. */
  isBusy: boolean;
}

/** One command at a time. INVARIANT: no process is started before `received` and `intent` are on disk. */
export function createCommandRunner(context: RunContext): CommandRunner {
  const runner: Runner = { context, unsaved: createUnsavedResults(), isOver: Promise.resolve(), isBusy: false };
  const { journal } = context;
  return {
    get isBusy() {
      return runner.isBusy;
    },
    listRunning: () => (runner.current === undefined ? [] : [runner.current.describe()]),
    listResults: () => [...journal.listUnacknowledged(), ...runner.unsaved.list()],
    recallKnown: (commandId) => recallKnown(runner, commandId),
    refuse: (input) => refuse(runner, input),
    refuseWithoutTrace({ commandId, attempt, code }) {
      context.log('warn', 'refused a command', { command_id: commandId, code });
      remember(runner, buildRefusal({ commandId, attempt, code, at: context.iso(), reason: '' }));
    },
    start: (input) => start(runner, input),
    cancel(commandId) {
      if (runner.current?.commandId === commandId) runner.current.cancel();
    },
    acknowledge: (commandIds) => acknowledge(runner, commandIds),
    recover: () => recover(runner),
    async stop() {
      runner.current?.interrupt();
      await runner.isOver;
    },
  };
}

function remember({ unsaved, context }: Runner, result: CommandResult): void {
  unsaved.add(result);
  context.onChange();
}

function recallKnown(runner: Runner, commandId: string): boolean {
  const entry = runner.context.journal.find(commandId);
  if (entry === undefined) return runner.unsaved.hasEnded(commandId);
  // What is not acknowledged is sent anyway.
  if (entry.result !== null && entry.isAcknowledged) remember(runner, entry.result);
  return true;
}

async function refuse(
  runner: Runner,
  { payload, kid, code, reason }: Parameters<CommandRunner['refuse']>[0],
): Promise<void> {
  const { journal, log, iso, onChange } = runner.context;
  const { command_id: commandId, attempt } = payload;
  const result = buildRefusal({ commandId, attempt, code, at: iso(), reason });
  try {
    await journal.append([toReceived(payload, kid, iso()), { kind: 'exited', command_id: commandId, result }]);
  } catch {
    remember(runner, result);
  }
  log('warn', 'refused a command', { command_id: commandId, code, reason });
  onChange();
}

async function start(
  runner: Runner,
  { payload, kid, plan }: { payload: CommandPayload; kid: string; plan: Plan },
): Promise<void> {
  const { context, unsaved } = runner;
  const { command_id: commandId, attempt } = payload;
  if (runner.isBusy) return;
  unsaved.forget(commandId);
  runner.isBusy = true;
  const reason = await recordIntent(runner, { payload, kid, plan });
  if (reason !== undefined) {
    runner.isBusy = false;
    remember(runner, buildRefusal({ commandId, attempt, code: 'refused_disk', at: context.iso(), reason }));
    return;
  }
  context.log('info', 'runs a command', { command_id: commandId, playbook: payload.playbook });
  runner.current = runCommand(context, { payload, plan });
  runner.isOver = concludeRun(runner, runner.current);
  await runner.current.started;
}

/** Why it cannot be run, where the disk does not let it be recorded first. */
async function recordIntent(
  { context }: Runner,
  { payload, kid, plan }: { payload: CommandPayload; kid: string; plan: Plan },
): Promise<string | undefined> {
  const { log, reserve } = context;
  const at = context.iso();
  const records: JournalRecord[] = [
    toReceived(payload, kid, at),
    { kind: 'intent', command_id: payload.command_id, at },
  ];
  const isRoomMade = makesRoom(plan);
  const isHeld = await reserve.take();
  if (!isHeld && !isRoomMade) {
    log('error', 'the disk is full: only what makes room is run', { command_id: payload.command_id });
    return 'The disk of this agent is full: only a playbook that clears logs may run.';
  }
  try {
    await appendWithRoom(context, records, { mayGiveUp: isRoomMade });
    return undefined;
  } catch (error) {
    log('error', 'the journal cannot be written: nothing is run', { error: String(error) });
    return 'The journal of this agent cannot be written.';
  }
}

/** Nothing but steps of ours that free space. */
function makesRoom({ steps }: Plan): boolean {
  return steps.every((step) => step.kind === 'uses' && step.uses === 'clear-logs');
}

async function appendWithRoom(
  { journal, reserve }: RunContext,
  records: readonly JournalRecord[],
  { mayGiveUp }: { mayGiveUp: boolean },
): Promise<void> {
  try {
    await journal.append(records);
  } catch (error) {
    if (!mayGiveUp || !isOutOfRoom(error) || !(await reserve.giveUp())) throw error;
    await journal.append(records);
  }
}

async function concludeRun(runner: Runner, command: RunningCommand): Promise<void> {
  const result = await command.result;
  await saveResult(runner, result);
  await runner.context.reserve.take();
  runner.context.log('info', 'a command ended', { command_id: command.commandId, status: result.status });
  delete runner.current;
  runner.isBusy = false;
  runner.context.onChange();
}

async function saveResult(runner: Runner, result: CommandResult): Promise<void> {
  const { log } = runner.context;
  try {
    const exited: JournalRecord = { kind: 'exited', command_id: result.command_id, result };
    await appendWithRoom(runner.context, [exited], { mayGiveUp: true });
  } catch (error) {
    log('error', 'the journal cannot be written: the result is kept in memory', { error: String(error) });
    remember(runner, result);
  }
}

async function acknowledge({ context, unsaved }: Runner, commandIds: readonly string[]): Promise<void> {
  const { journal, log } = context;
  const records = commandIds.flatMap((commandId): JournalRecord[] => {
    const result = unsaved.forget(commandId);
    const entry = journal.find(commandId);
    if (entry === undefined || entry.isAcknowledged) return [];
    // Its end could not be written before: now it says after a crash that it is over and told.
    const end: JournalRecord[] =
      entry.result === null && result !== undefined ? [{ kind: 'exited', command_id: commandId, result }] : [];
    if (entry.result === null && end.length === 0) return [];
    return [...end, { kind: 'acknowledged', command_id: commandId }];
  });
  if (records.length === 0) return;
  try {
    await journal.append(records);
    await journal.compact();
  } catch (error) {
    log('error', 'the journal cannot be written: an acknowledged result will be sent again', { error: String(error) });
  }
}

async function recover(runner: Runner): Promise<void> {
  const { journal, log, graceMs = DEFAULT_GRACE_MS, iso } = runner.context;
  for (const { commandId, attempt, startedAt } of journal.listOpen()) {
    const isProven = await killCommand({ commandId, graceMs });
    log('warn', 'a command was interrupted and is not run again', { command_id: commandId, is_proven: isProven });
    await saveResult(runner, buildInterruption({ commandId, attempt, startedAt, at: iso(), isProven }));
  }
}

function toReceived(payload: CommandPayload, kid: string, at: string): JournalRecord {
  const { command_id, attempt, seq } = payload;
  return { kind: 'received', command_id, attempt, kid, seq, at };
}
