import { tellEnd, WAKE_CHANNEL } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transact } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import { findOpenCommand, isToStart } from '../db/repositories/attempt.repository.ts';
import { updateCommand } from '../db/repositories/command.repository.ts';
import { listDecisions } from '../db/repositories/decision.repository.ts';
import { listStandingHalts } from '../db/repositories/halt.repository.ts';
import { findHoldBack } from '../db/repositories/hold-back.repository.ts';
import { findResultOfCommand } from '../db/repositories/result.repository.ts';
import type { Row } from '../db/tables.ts';
import { findCovering, haltCode } from '../domain/halt.ts';
import { isServerOffline } from '../domain/liveness.ts';
import { readRequirement } from '../domain/policy.ts';
import { SYSTEM_ACTOR } from '../domain/principal.ts';
import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { lockActionAndServer, readState } from './action-state.ts';
import { cancelNow } from './cancel-now.ts';
import { holdBackFailing } from './hold-back.ts';
import { startNow } from './mark-executing.ts';
import { tryAgain } from './try-again.ts';

const LOOK_AGAIN_MS = 5_000; // a stored result is signalled again by the pump within this time

interface Overdue {
  action: Row<'actions'>;
  server: Row<'servers'>;
}

/**
 * Ends what its deadline has passed: undecided → expired, or rejected where its rule says so; approved but not started
 * → expired (or cancelled where that was asked for), the next attempt not started → failed `retry_unstarted`, executing
 * and silent → failed `agent_lost`, or tried again. Too early, or a result already stored: changes nothing. Its agent
 * says it runs: executing. The time of the next attempt has come: the agent's held heartbeat looks for it.
 */
export function createEnforceDeadline({ database }: ActivityDeps): ActionActivities['enforceDeadline'] {
  return (actionId) =>
    transact(database, 'action.enforce_deadline', async (tx) => {
      const { action, server } = await lockActionAndServer(tx, actionId);
      const state = await readState(tx, action);
      const isDue = state.deadlineAtMs <= Date.now();
      if (!isDue && action.next_attempt_at !== null) tx.notify(WAKE_CHANNEL, server.id);
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
      return isToStart(action) ? endUnstarted(tx, { action, server }) : loseAgent(tx, action);
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
  const command = await findOpenCommand(tx, action.id);
  if (command !== null && (await findResultOfCommand(tx, command.id)) !== null) return action; // on its way here
  // its agent holds it, and only the signal that says so has not come: it is not unstarted
  if (command?.state === 'running') return startNow(tx, action, command.id);
  if (command !== null) await endCommand(tx, { commandId: command.id, serverId: action.server_id });
  if (action.cancel_requested_at !== null) {
    const { cancelled_by: by, cancel_reason: reason } = action;
    const code = await findCancelCode(tx, action.id);
    return cancelNow(tx, action, { by: by ?? SYSTEM_ACTOR, via: 'workflow', reason, code });
  }
  const code = await whyUnstarted(tx, { action, server });
  if (action.status === 'executing') return fail(tx, action, { code: 'retry_unstarted', data: { why: code } });
  return expire(tx, action, code);
}

async function whyUnstarted(tx: Tx, { action, server }: Overdue): Promise<string> {
  const halt = findCovering(await listStandingHalts(tx), { tags: server.tags, playbook: action.playbook });
  if (halt !== null) return haltCode(halt);
  const work = { serverId: server.id, playbook: action.playbook };
  if (!action.dry_run && (await findHoldBack(tx, work)) !== null) return 'held_back';
  if (isServerOffline(server, new Date())) return 'agent_offline';
  return action.held_by?.code ?? 'queue_timeout'; // it was its turn, and a limit was reached
}

/** What the cancellation came with, such as the end of a halt; null where a person just wanted it. */
async function findCancelCode(tx: Tx, actionId: string): Promise<string | null> {
  const applied = (await listDecisions(tx, actionId)).filter(
    ({ kind, status }) => kind === 'cancel' && status === 'applied',
  );
  return applied[0]?.code ?? null;
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
  const code = 'agent_lost';
  const command = await findOpenCommand(tx, action.id);
  if (command !== null && (await findResultOfCommand(tx, command.id)) !== null) return action; // on its way here
  if (command !== null) await endCommand(tx, { commandId: command.id, serverId: action.server_id, failureCode: code });
  const data = { command_id: command?.id ?? null };
  const end = { status: 'lost', code, wasStarted: true } as const;
  const again = await tryAgain(tx, { action, end, failureCode: code, actor: SYSTEM_ACTOR, data });
  return again ?? fail(tx, action, { code, data });
}

async function fail(
  tx: Tx,
  action: Row<'actions'>,
  input: { code: string; data: Record<string, unknown> },
): Promise<Row<'actions'>> {
  const { code, data } = input;
  const failed = await transitionAction(tx, {
    id: action.id,
    from: ['executing'],
    to: 'failed',
    set: { failure_code: code },
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'action.failed',
    subject: { type: 'action', id: action.id },
    data: { code, ...data },
  });
  await holdBackFailing(tx, failed ?? action);
  await tellEnd(tx, { action: failed ?? action, isNotice: true });
  return failed ?? action;
}

async function endCommand(tx: Tx, input: { commandId: string; serverId: string; failureCode?: string }): Promise<void> {
  const { commandId, serverId, failureCode = null } = input;
  await updateCommand(tx, commandId, { state: 'ended', ended_at: new Date(), failure_code: failureCode });
  tx.notify(WAKE_CHANNEL, serverId);
}
