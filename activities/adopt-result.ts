import { tellEnd, tellSlack, WAKE_CHANNEL } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transact } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import { isToStart } from '../db/repositories/attempt.repository.ts';
import type { CommandRow } from '../db/repositories/command.repository.ts';
import { updateCommand } from '../db/repositories/command.repository.ts';
import { enqueueOutbox } from '../db/repositories/outbox.repository.ts';
import type { ResultRow } from '../db/repositories/result.repository.ts';
import { findResultOfCommand, markResultAdopted } from '../db/repositories/result.repository.ts';
import type { Row, RowChange } from '../db/tables.ts';
import type { ActionEnd, ResultStatus } from '../domain/lifecycle.ts';
import { endOfResult, isEnded } from '../domain/lifecycle.ts';
import { SYSTEM_ACTOR } from '../domain/principal.ts';
import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { lockActionAndServer, readState } from './action-state.ts';
import { cancelNow } from './cancel-now.ts';
import { holdBackFailing } from './hold-back.ts';
import { startNow } from './mark-executing.ts';
import { tryAgain } from './try-again.ts';

/**
 * Ends the action as its stored result says, with its output, or owes its next attempt; and frees the server for the
 * next command.
 */
export function createAdoptResult({ database }: ActivityDeps): ActionActivities['adoptResult'] {
  return ({ actionId, commandId }) =>
    transact(database, 'action.adopt_result', async (tx) => {
      const { action } = await lockActionAndServer(tx, actionId);
      const result = await findResultOfCommand(tx, commandId);
      if (result === null || result.adopted_at !== null) return readState(tx, action);
      await markResultAdopted(tx, result.id);
      const end = endOfResult({ status: result.status as ResultStatus, code: result.code });
      if (end === null) return readState(tx, action);
      const command = await updateCommand(tx, commandId, {
        state: 'ended',
        ended_at: new Date(),
        failure_code: end.failureCode,
      });
      if (isEnded(action.status)) {
        await keepAsLate(tx, { result, actionId });
        return readState(tx, action);
      }
      const ended = await finish(tx, { action, command, result, end });
      tx.notify(WAKE_CHANNEL, action.server_id);
      return readState(tx, ended);
    });
}

async function finish(
  tx: Tx,
  input: { action: Row<'actions'>; command: CommandRow | null; result: ResultRow; end: ActionEnd },
): Promise<Row<'actions'>> {
  const { result, end } = input;
  const wasStarted = result.started_at !== null || result.status === 'completed';
  const isFirstHeard = isToStart(input.action) && wasStarted;
  const action = isFirstHeard ? await startNow(tx, input.action, result.command_id) : input.action;
  const again = await owe(tx, { ...input, action });
  if (again !== null) return again;
  const output = outputOf(result);
  await tellOutput(tx, { action, result });
  if (end.status === 'cancelled') {
    const { cancelled_by: by, cancel_reason: reason } = action;
    const told = { by: by ?? SYSTEM_ACTOR, via: 'agent' as const, reason, code: end.failureCode };
    return cancelNow(tx, action, { ...told, set: output, data: describeResult(result) });
  }
  const isFailed = end.status === 'failed';
  const ended = await transitionAction(tx, {
    id: action.id,
    from: [action.status],
    to: end.status,
    set: { ...output, failure_code: end.failureCode },
  });
  tx.audit({
    actor: action.server_id,
    via: 'agent',
    event: isFailed ? 'action.failed' : 'action.completed',
    subject: { type: 'action', id: action.id },
    data: { ...describeResult(result), code: end.failureCode },
  });
  await holdBackFailing(tx, ended ?? action);
  await tellEnd(tx, { action: ended ?? action, isNotice: isFailed });
  return ended ?? action;
}

/** The next attempt, where this one is followed by another. */
function owe(
  tx: Tx,
  input: { action: Row<'actions'>; command: CommandRow | null; result: ResultRow; end: ActionEnd },
): Promise<Row<'actions'> | null> {
  const { action, command, result, end } = input;
  const wasStarted = result.started_at !== null || (command !== null && command.started_at !== null);
  return tryAgain(tx, {
    action,
    end: { status: result.status as ResultStatus, code: result.code, wasStarted },
    failureCode: end.failureCode ?? result.status,
    actor: action.server_id,
    set: outputOf(result),
    data: describeResult(result),
  });
}

/** In the thread of its card. A batch's many outputs would be a storm of their own: there, the details show them. */
async function tellOutput(tx: Tx, input: { action: Row<'actions'>; result: ResultRow }): Promise<void> {
  const { action, result } = input;
  const isSilent = `${result.stdout}${result.stderr}`.trim() === '';
  if (!isSilent && action.batch_id === null) await enqueueOutbox(tx, { kind: 'output', actionId: action.id });
}

/** What the audit keeps of a result: never its output, only the digests. */
function describeResult(result: ResultRow): Record<string, unknown> {
  return {
    command_id: result.command_id,
    attempt: result.attempt,
    exit_code: result.exit_code,
    signal: result.signal,
    stdout_sha256: result.stdout_sha256,
    stderr_sha256: result.stderr_sha256,
  };
}

function outputOf(result: ResultRow): RowChange<'actions'> {
  return {
    ...(result.started_at === null ? {} : { executed_at: result.started_at }),
    exit_code: result.exit_code,
    signal: result.signal,
    stdout: result.stdout,
    stderr: result.stderr,
    stdout_bytes: result.stdout_bytes,
    stderr_bytes: result.stderr_bytes,
    stdout_sha256: result.stdout_sha256,
    stderr_sha256: result.stderr_sha256,
    truncated: result.truncated,
  };
}

async function keepAsLate(tx: Tx, { result, actionId }: { result: ResultRow; actionId: string }): Promise<void> {
  await tx.kysely.updateTable('results').set({ is_late: true }).where('id', '=', result.id).execute();
  tx.audit({
    actor: 'system',
    via: 'workflow',
    event: 'command.late_result',
    subject: { type: 'command', id: result.command_id },
    data: { action_id: actionId, status: result.status, attempt: result.attempt },
  });
  await tellSlack(tx, { actionId });
}
