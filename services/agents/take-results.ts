import { tellSlack } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { findActionById } from '../../db/repositories/action.repository.ts';
import type { CommandRow } from '../../db/repositories/command.repository.ts';
import { findCommandById } from '../../db/repositories/command.repository.ts';
import {
  findResultOfCommand,
  insertLateResult,
  insertResult,
  listLateResults,
} from '../../db/repositories/result.repository.ts';
import type { NewRow, Row } from '../../db/tables.ts';
import { PASSING_REFUSALS } from '../../domain/lifecycle.ts';
import type { CommandResult } from '../../protocol/messages.ts';
import { parseResult, readResultCommandId } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';
import { cutOutput } from './cut-output.ts';

export interface TakenResults {
  /** Also those that change nothing: an agent must be able to forget them. */
  acked: string[];
  /** Stored, and to be signalled to their workflows after the commit. */
  adoptable: { actionId: string; commandId: string }[];
}

/**
 * Stores what an agent reports, each result judged alone. One that is malformed or not owed is acknowledged, logged,
 * kept as late where it belongs to an action of this server, and changes nothing (contract §5, Result).
 */
export async function takeResults(
  ctx: Context,
  tx: Tx,
  input: { serverId: string; results: readonly unknown[] },
): Promise<TakenResults> {
  const taken: TakenResults = { acked: [], adoptable: [] };
  for (const raw of input.results) {
    const commandId = readResultCommandId(raw);
    if (commandId === undefined) {
      ctx.log.warn({ serverId: input.serverId }, 'a result without a command id was dropped');
      continue;
    }
    taken.acked.push(commandId);
    const command = await findCommandById(tx, commandId);
    if (command === null || command.server_id !== input.serverId) {
      ctx.log.warn({ serverId: input.serverId, commandId }, 'a result that is not owed was dropped');
      continue;
    }
    const reading = parseResult(raw);
    const isTaken = reading.isValid && (await takeResult(tx, { command, result: cutResult(ctx, reading.value) }));
    if (isTaken) taken.adoptable.push({ actionId: command.action_id, commandId });
    if (!reading.isValid) {
      ctx.log.warn({ serverId: input.serverId, commandId, errors: reading.errors }, 'a malformed result was dropped');
    }
  }
  return taken;
}

/** True where the result is owed and waits for its workflow. */
async function takeResult(
  tx: Tx,
  { command, result }: { command: CommandRow; result: CommandResult },
): Promise<boolean> {
  const row = toRow(command, result);
  const late = await listLateResults(tx, command.action_id);
  if (late.some((kept) => kept.command_id === command.id && isSame(kept, row))) return false; // its answer was lost
  const isPassing = result.status === 'refused' && PASSING_REFUSALS.includes(result.code ?? '');
  if (isPassing) {
    auditRefusal(tx, { command, result });
    await insertLateResult(tx, row);
    return false;
  }
  const earlier = await findResultOfCommand(tx, command.id);
  if (earlier !== null && isSame(earlier, row)) return earlier.adopted_at === null; // its answer was lost
  if (result.status === 'refused') auditRefusal(tx, { command, result });
  const action = await findActionById(tx, command.action_id);
  const isContradictory = contradictsItself(result, { isDryRun: action?.dry_run ?? false });
  const isOwed = earlier === null && command.state !== 'ended' && result.attempt === command.attempt;
  if (!isOwed || isContradictory) {
    await keepAsLate(tx, { command, row });
    return false;
  }
  return (await insertResult(tx, row)) !== null;
}

/** As much of each stream as `limits` of medic.yaml keeps; counts and digests stay those of the whole. */
function cutResult(ctx: Context, result: CommandResult): CommandResult {
  const limit = ctx.config.current().limits.outputBytes;
  const stdout = cutOutput(result.stdout, { bytes: result.stdout_bytes, limit });
  const stderr = cutOutput(result.stderr, { bytes: result.stderr_bytes, limit });
  const isCut = stdout !== result.stdout || stderr !== result.stderr;
  return { ...result, stdout, stderr, truncated: result.truncated || isCut };
}

/** `exit_code` is that of the first step that failed, else 0; a dry run has none (contract §4). */
function contradictsItself(result: CommandResult, { isDryRun }: { isDryRun: boolean }): boolean {
  const { status, exit_code: exitCode, signal } = result;
  if (isDryRun) return exitCode !== null;
  if (status === 'completed') return exitCode !== 0 || signal !== null;
  return status === 'failed' && exitCode === 0 && signal === null;
}

function isSame(a: Row<'results'>, b: NewRow<'results'>): boolean {
  const isSameEnd = a.finished_at?.getTime() === (b.finished_at as Date).getTime();
  return isSameEnd && a.status === b.status && a.attempt === b.attempt && a.code === b.code;
}

async function keepAsLate(tx: Tx, { command, row }: { command: CommandRow; row: NewRow<'results'> }): Promise<void> {
  await insertLateResult(tx, row);
  tx.audit({
    actor: command.server_id,
    via: 'agent',
    event: 'command.late_result',
    subject: { type: 'command', id: command.id },
    data: { action_id: command.action_id, status: row.status, attempt: row.attempt },
  });
  await tellSlack(tx, { actionId: command.action_id });
}

function auditRefusal(tx: Tx, { command, result }: { command: CommandRow; result: CommandResult }): void {
  tx.audit({
    actor: command.server_id,
    via: 'agent',
    event: 'command.refused',
    subject: { type: 'command', id: command.id },
    data: { action_id: command.action_id, code: result.code ?? null },
  });
}

function toRow(command: CommandRow, result: CommandResult): NewRow<'results'> {
  return {
    command_id: command.id,
    action_id: command.action_id,
    attempt: result.attempt,
    status: result.status,
    code: result.code ?? null,
    exit_code: result.exit_code,
    signal: result.signal,
    started_at: result.started_at === null ? null : new Date(result.started_at),
    finished_at: new Date(result.finished_at),
    stdout: storable(result.stdout),
    stderr: storable(result.stderr),
    stdout_bytes: result.stdout_bytes,
    stderr_bytes: result.stderr_bytes,
    stdout_sha256: result.stdout_sha256,
    stderr_sha256: result.stderr_sha256,
    truncated: result.truncated,
  };
}

/** PostgreSQL's text holds no NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
