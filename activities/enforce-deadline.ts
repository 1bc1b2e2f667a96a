import { tellEnd, WAKE_CHANNEL } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transact } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import { findCommandOfAction, updateCommand } from '../db/repositories/command.repository.ts';
import { findResultOfCommand } from '../db/repositories/result.repository.ts';
import type { Row } from '../db/tables.ts';
import { isServerOffline } from '../domain/liveness.ts';
import { readRequirement } from '../domain/policy.ts';
import { SYSTEM_ACTOR } from '../domain/principal.ts';
import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { lockActionAndServer, readState } from './action-state.ts';
import { cancelNow } from './cancel-now.ts';
import { startNow } from './mark-executing.ts';

const LOOK_AGAIN_MS = 5_000; // a stored result is signalled again by the pump within this time

interface Overdue {
  action: Row<'actions'>;
  server: Row<'servers'>;
}

/**
 * Ends what its deadline has passed: undecided → expired, or rejected where its rule says so; approved but not started → expired (or cancelled where that
 * was asked for), executing and silent → failed `agent_lost`. Too early, or a result already stored: changes nothing.
 * Approved, and its agent says it runs: executing.
 */
export function createEnforceDeadline({ database }: ActivityDeps): ActionActivities['enforceDeadline'] {
  return (actionId) =>
    transact(database, async (tx) => {
      const { action, server } = await lockActionAndServer(tx, actionId);
      const state = await readState(tx, action);
      const isDue = state.deadlineAtMs <= Date.now();
      if (!isDue) return state;
      const after = await readState(tx, await endOverdue(tx, { action, server }));
      return { ...after, deadlineAtMs: Math.max(after.deadlineAtMs, Date.now() + LOOK_AGAIN_MS) };
    });
}

async function endOverdue(tx: Tx, { action, server }: Overdue): Promise<Row<'actions'>> {
  switch (action.status) {
    case 'pending':
      return endUndecided(tx, action);
    case 'approved':
      return endUnstarted(tx, { action, server });
    case 'executing':
      return loseAgent(tx, action);
    default:
      return action;
  }
}

/** Never approved; and not the same: `expired` says that nobody decided, `rejected` that its rule decides so then. */
async function endUndecided(tx: Tx, action: Row<'actions'>): Promise<Row<'actions'>> {
  const { onTimeout } = readRequirement(action.approval_rule, action.approvals_required);
  if (onTimeout === 'expired') return expire(tx, action, 'approval_timeout');
  const rejected = await transitionAction(tx, {
    id: action.id,
    from: ['pending'],
    to: 'rejected',
    set: { rejected_by: SYSTEM_ACTOR, rejected_at: new Date(), failure_code: 'approval_timeout' },
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'action.rejected',
    subject: { type: 'action', id: action.id },
    data: { code: 'approval_timeout' },
  });
  await tellEnd(tx, { action: rejected ?? action });
  return rejected ?? action;
}

async function endUnstarted(tx: Tx, { action, server }: Overdue): Promise<Row<'actions'>> {
  const command = await findCommandOfAction(tx, action.id);
  if (command !== null && (await findResultOfCommand(tx, command.id)) !== null) return action; // on its way here
  // its agent holds it, and only the signal that says so has not come: it is not unstarted
  if (command?.state === 'running') return startNow(tx, action, command.id);
  if (command !== null) await endCommand(tx, { commandId: command.id, serverId: action.server_id });
  if (action.cancel_requested_at !== null) {
    const { cancelled_by: by, cancel_reason: reason } = action;
    return cancelNow(tx, action, { by: by ?? SYSTEM_ACTOR, via: 'workflow', reason });
  }
  return expire(tx, action, isServerOffline(server, new Date()) ? 'agent_offline' : 'queue_timeout');
}

async function expire(tx: Tx, action: Row<'actions'>, code: string): Promise<Row<'actions'>> {
  const expired = await transitionAction(tx, {
    id: action.id,
    from: [action.status],
    to: 'expired',
    set: { failure_code: code },
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'action.expired',
    subject: { type: 'action', id: action.id },
    data: { code },
  });
  await tellEnd(tx, { action: expired ?? action, isNotice: true });
  return expired ?? action;
}

async function loseAgent(tx: Tx, action: Row<'actions'>): Promise<Row<'actions'>> {
  const command = await findCommandOfAction(tx, action.id);
  if (command !== null && (await findResultOfCommand(tx, command.id)) !== null) return action; // on its way here
  if (command !== null) await endCommand(tx, { commandId: command.id, serverId: action.server_id });
  const failed = await transitionAction(tx, {
    id: action.id,
    from: ['executing'],
    to: 'failed',
    set: { failure_code: 'agent_lost' },
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'action.failed',
    subject: { type: 'action', id: action.id },
    data: { code: 'agent_lost', command_id: command?.id ?? null },
  });
  await tellEnd(tx, { action: failed ?? action, isNotice: true });
  return failed ?? action;
}

async function endCommand(tx: Tx, input: { commandId: string; serverId: string }): Promise<void> {
  await updateCommand(tx, input.commandId, { state: 'ended', ended_at: new Date() });
  tx.notify(WAKE_CHANNEL, input.serverId);
}
