import { tellSlack } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transact } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import { findOpenCommand, isToStart } from '../db/repositories/attempt.repository.ts';
import type { CommandRow } from '../db/repositories/command.repository.ts';
import { findCommandById } from '../db/repositories/command.repository.ts';
import type { Row, RowChange } from '../db/tables.ts';
import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { lockActionAndServer, readState } from './action-state.ts';

/** approved → executing, or the next attempt begins: the agent holds the command and will start it, or has. */
export function createMarkExecuting({ database }: ActivityDeps): ActionActivities['markExecuting'] {
  return ({ actionId, commandId }) =>
    transact(database, 'action.mark_executing', async (tx) => {
      const { action } = await lockActionAndServer(tx, actionId);
      const command = await findOpenCommand(tx, actionId);
      const isOwed = isToStart(action) && command?.id === commandId;
      return readState(tx, isOwed ? await startNow(tx, action, commandId) : action);
    });
}

/** The row must be locked, and approved or between two attempts. What an earlier attempt left there is its own. */
export async function startNow(tx: Tx, action: Row<'actions'>, commandId: string): Promise<Row<'actions'>> {
  const command = await findCommandById(tx, commandId);
  const executing = await transitionAction(tx, {
    id: action.id,
    from: ['approved', 'executing'],
    to: 'executing',
    set: { ...NOTHING_YET, executed_at: startOf(command, new Date()), next_attempt_at: null },
  });
  tx.audit({
    actor: action.server_id,
    via: 'agent',
    event: 'action.started',
    subject: { type: 'action', id: action.id },
    data: { command_id: commandId, attempt: action.attempt },
  });
  await tellSlack(tx, { actionId: action.id });
  return executing ?? action;
}

const NOTHING_YET: RowChange<'actions'> = {
  exit_code: null,
  signal: null,
  stdout: null,
  stderr: null,
  stdout_bytes: null,
  stderr_bytes: null,
  stdout_sha256: null,
  stderr_sha256: null,
  truncated: false,
};

/**
 * When it started, as its agent tells it, but neither before it was issued nor in the future: the time to answer
 * counts from here, and an agent's clock must not shorten it or keep an action from ever ending.
 */
function startOf(command: CommandRow | null, now: Date): Date {
  if (command === null || command.started_at === null) return now;
  const startedAtMs = Math.max(command.started_at.getTime(), command.issued_at.getTime());
  return new Date(Math.min(startedAtMs, now.getTime()));
}
