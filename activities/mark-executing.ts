import { tellSlack } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transact } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import type { CommandRow } from '../db/repositories/command.repository.ts';
import { findCommandById } from '../db/repositories/command.repository.ts';
import type { Row } from '../db/tables.ts';
import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { lockActionAndServer, readState } from './action-state.ts';

/** approved → executing: the agent holds the command and will start it, or has. */
export function createMarkExecuting({ database }: ActivityDeps): ActionActivities['markExecuting'] {
  return ({ actionId, commandId }) =>
    transact(database, async (tx) => {
      const { action } = await lockActionAndServer(tx, actionId);
      if (action.status !== 'approved') return readState(tx, action);
      return readState(tx, await startNow(tx, action, commandId));
    });
}

/** The row must be locked and approved. */
export async function startNow(tx: Tx, action: Row<'actions'>, commandId: string): Promise<Row<'actions'>> {
  const command = await findCommandById(tx, commandId);
  const executing = await transitionAction(tx, {
    id: action.id,
    from: ['approved'],
    to: 'executing',
    set: { executed_at: startOf(command, new Date()) },
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

/**
 * When it started, as its agent tells it, but neither before it was issued nor in the future: the time to answer
 * counts from here, and an agent's clock must not shorten it or keep an action from ever ending.
 */
function startOf(command: CommandRow | null, now: Date): Date {
  if (command === null || command.started_at === null) return now;
  const startedAtMs = Math.max(command.started_at.getTime(), command.issued_at.getTime());
  return new Date(Math.min(startedAtMs, now.getTime()));
}
