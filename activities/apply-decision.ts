import { tellEnd, tellSlack, WAKE_CHANNEL } from '../db/announce.ts';
import type { Tx } from '../db/orm.ts';
import { transact } from '../db/orm.ts';
import { transitionAction, updateAction } from '../db/repositories/action.repository.ts';
import { enqueueOutbox } from '../db/repositories/outbox.repository.ts';
import { findCommandOfAction, updateCommand } from '../db/repositories/command.repository.ts';
import type { DecisionRow } from '../db/repositories/decision.repository.ts';
import { findDecisionById, listDecisions, settleDecision } from '../db/repositories/decision.repository.ts';
import type { Row } from '../db/tables.ts';
import type { Via } from '../domain/audit.ts';
import { areDistinctlyMatched } from '../domain/distinct-groups.ts';
import { isEnded } from '../domain/lifecycle.ts';
import { readRequirement } from '../domain/policy.ts';
import type { ActionActivities, DecisionState } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { lockActionAndServer, readState } from './action-state.ts';
import { cancelLost, cancelNow } from './cancel-now.ts';

/** `code: null`: it counts. Otherwise why it changes nothing. */
interface Ruling {
  code: string | null;
  action: Row<'actions'>;
}

/**
 * Applies one recorded decision, once: the same id again gives the first ruling. Who may decide, and whether a halt
 * forbids it, was judged when it was recorded; here it is judged against what the row has become since. A decision that is not in the database (restored
 * from an older copy, say) is answered with `decision_missing`: trying again would never bring it.
 */
export function createApplyDecision({ database }: ActivityDeps): ActionActivities['applyDecision'] {
  return (decisionId) =>
    transact(database, 'decision.apply', async (tx) => {
      const found = await findDecisionById(tx, decisionId);
      if (found === null) return answerMissing();
      const { action } = await lockActionAndServer(tx, found.action_id);
      const decision = (await findDecisionById(tx, decisionId)) ?? found;
      if (decision.status !== 'recorded') {
        const wasApplied = decision.status === 'applied';
        return { ...(await readState(tx, action)), wasApplied, code: wasApplied ? null : decision.code };
      }
      const ruling = await rule(tx, { action, decision });
      if (ruling.code !== null) await settleDecision(tx, { id: decisionId, status: 'refused', code: ruling.code });
      if (ruling.code !== null && decision.code === null) auditRefusal(tx, { decision, code: ruling.code });
      return { ...(await readState(tx, ruling.action)), wasApplied: ruling.code === null, code: ruling.code };
    });
}

/** Says nothing of the action, so the workflow looks at once what has become of it. */
function answerMissing(): DecisionState {
  return { status: 'pending', deadlineAtMs: Date.now(), wasApplied: false, code: 'decision_missing' };
}

async function rule(tx: Tx, input: { action: Row<'actions'>; decision: DecisionRow }): Promise<Ruling> {
  const { action, decision } = input;
  if (isEnded(action.status)) return { code: 'already_ended', action };
  if (decision.kind === 'cancel') return cancel(tx, input);
  if (action.status !== 'pending') return { code: 'already_decided', action };
  if (action.expires_at !== null && action.expires_at.getTime() <= Date.now()) return { code: 'expired', action };
  if (decision.principal === action.requested_by) return { code: 'own_request', action };
  const earlier = await listDecisions(tx, action.id);
  const isSecond = earlier.some(
    ({ status, kind, principal }) => status === 'applied' && kind !== 'cancel' && principal === decision.principal,
  );
  if (isSecond) return { code: 'already_decided', action };
  if (decision.kind === 'approve' && !isOfAnotherGroup({ action, decision, earlier })) {
    return { code: 'group_already_heard', action };
  }
  await settleDecision(tx, { id: decision.id, status: 'applied' });
  return decision.kind === 'reject' ? reject(tx, input) : approve(tx, input);
}

/** Judged when it was recorded, too; two people of one group may have decided at once. */
function isOfAnotherGroup(input: {
  action: Row<'actions'>;
  decision: DecisionRow;
  earlier: readonly DecisionRow[];
}): boolean {
  const { action, decision, earlier } = input;
  const { distinctGroups } = readRequirement(action.approval_rule, action.approvals_required);
  if (!distinctGroups || decision.break_glass) return true;
  const approvals = earlier.filter(({ kind, status }) => kind === 'approve' && status === 'applied');
  return areDistinctlyMatched([...approvals, decision].map(({ groups }) => groups));
}

async function approve(tx: Tx, input: { action: Row<'actions'>; decision: DecisionRow }): Promise<Ruling> {
  const { action, decision } = input;
  const approvals = (await listDecisions(tx, action.id)).filter(
    ({ kind, status }) => kind === 'approve' && status === 'applied',
  );
  const isEnough = decision.break_glass || approvals.length >= action.approvals_required;
  tx.audit({
    actor: decision.principal,
    via: decision.via as Via,
    event: isEnough ? 'action.approved' : 'action.approval_added',
    subject: { type: 'action', id: action.id },
    data: { reason: decision.reason, decision_id: decision.id, approvals: approvals.length },
  });
  if (decision.break_glass) await tellOfBreakGlass(tx, { action, decision });
  await tellSlack(tx, { actionId: action.id });
  if (!isEnough) return { code: null, action };
  const now = new Date();
  const approved = await transitionAction(tx, {
    id: action.id,
    from: ['pending'],
    to: 'approved',
    set: {
      approved_by: decision.principal,
      approved_at: now,
      expires_at: new Date(now.getTime() + action.start_within_s * 1000),
    },
  });
  tx.notify(WAKE_CHANNEL, action.server_id);
  return { code: null, action: approved ?? action };
}

/** Never quietly: an event of its own beside the approval, and a new message in the channel. */
async function tellOfBreakGlass(tx: Tx, input: { action: Row<'actions'>; decision: DecisionRow }): Promise<void> {
  const { action, decision } = input;
  tx.audit({
    actor: decision.principal,
    via: decision.via as Via,
    event: 'action.break_glass',
    subject: { type: 'action', id: action.id },
    data: { reason: decision.reason, decision_id: decision.id, approvals_required: action.approvals_required },
  });
  const payload = { kind: 'break_glass', by: decision.principal, reason: decision.reason };
  await enqueueOutbox(tx, { kind: 'notice', actionId: action.id, payload });
}

async function reject(tx: Tx, input: { action: Row<'actions'>; decision: DecisionRow }): Promise<Ruling> {
  const { action, decision } = input;
  const rejected = await transitionAction(tx, {
    id: action.id,
    from: ['pending'],
    to: 'rejected',
    set: { rejected_by: decision.principal, rejected_at: new Date(), rejection_reason: decision.reason },
  });
  tx.audit({
    actor: decision.principal,
    via: decision.via as Via,
    event: 'action.rejected',
    subject: { type: 'action', id: action.id },
    data: { reason: decision.reason, decision_id: decision.id },
  });
  await tellEnd(tx, { action: rejected ?? action });
  return { code: null, action: rejected ?? action };
}

/** What was handed out is asked for back, and ends only when the agent says so or its time is up. */
async function cancel(tx: Tx, input: { action: Row<'actions'>; decision: DecisionRow }): Promise<Ruling> {
  const { action, decision } = input;
  // an approval that was faster was judged by the playbook of its moment; the agent judges the digest again
  const isOvertaken = decision.code === 'playbook_changed' && action.status !== 'pending';
  if (isOvertaken) return { code: 'already_decided', action };
  const command = await findCommandOfAction(tx, action.id);
  const isHandedOut = command !== null && command.state !== 'ended';
  const isLost = command?.failure_code === 'agent_lost';
  if (isHandedOut && decision.code === 'server_paused') return { code: 'already_handed_out', action };
  await settleDecision(tx, { id: decision.id, status: 'applied' });
  if (!isHandedOut) {
    const { principal: by, reason, code } = decision;
    const told = { by, via: decision.via as Via, reason, code };
    return { code: null, action: await (isLost ? cancelLost : cancelNow)(tx, action, told) };
  }
  await updateCommand(tx, command.id, { cancel_requested: true });
  const asked = await updateAction(tx, action.id, {
    cancel_requested_at: action.cancel_requested_at ?? new Date(),
    cancelled_by: action.cancelled_by ?? decision.principal,
    cancel_reason: action.cancel_reason ?? decision.reason,
  });
  tx.audit({
    actor: decision.principal,
    via: decision.via as Via,
    event: 'action.cancel_requested',
    subject: { type: 'action', id: action.id },
    data: { reason: decision.reason, command_id: command.id },
  });
  await tellSlack(tx, { actionId: action.id });
  tx.notify(WAKE_CHANNEL, action.server_id);
  return { code: null, action: asked ?? action };
}

function auditRefusal(tx: Tx, input: { decision: DecisionRow; code: string }): void {
  const { decision, code } = input;
  tx.audit({
    actor: decision.principal,
    via: decision.via as Via,
    event: 'decision.refused',
    subject: { type: 'action', id: decision.action_id },
    data: { kind: decision.kind, code, decision_id: decision.id },
  });
}
