import { tellStep } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import * as escalation from '../../db/repositories/escalation.repository.ts';
import type { EscalationStep } from '../../domain/policy.ts';
import { escalationTime } from '../../domain/policy.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { ActionView } from '../actions/action-view.ts';
import { findActionView } from '../actions/read-actions.ts';
import type { Context } from '../context.ts';
import { listAddressees } from './addressees.ts';

const BATCH = 50;

interface DueStep {
  action: ActionView;
  /** How many were taken before. */
  taken: number;
  step: EscalationStep;
  /** Names of the principals who are written to. */
  addressees: readonly string[];
}

/**
 * Takes one step of each ladder where one is due. Each step is taken once, however many processes try at once, and what
 * it owes is owed in the same transaction. Who is written to is judged here and again when the message is sent.
 */
export async function climbLadders(ctx: Context): Promise<void> {
  for (const id of await escalation.listDueEscalations(ctx.database, BATCH)) {
    try {
      const due = await findDueStep(ctx, id);
      if (due !== null) await transact(ctx.database, 'ladder.climb', (tx) => take(tx, due));
    } catch (error) {
      ctx.log.warn({ err: error, action_id: id }, 'a step of a ladder could not be taken; it is tried again');
    }
  }
}

/** Slack may be asked here, so nothing is locked yet. */
async function findDueStep(ctx: Context, id: string): Promise<DueStep | null> {
  const action = await findActionView(ctx, id);
  if (action?.status !== 'pending') return null;
  const { escalationStep: taken, requirement } = action;
  const step = requirement.escalate[taken];
  if (step === undefined) return null;
  return { action, taken, step, addressees: await listAddressees(ctx, { action, step }) };
}

async function take(tx: Tx, { action, taken, step, addressees }: DueStep): Promise<void> {
  const row = await escalation.claimEscalation(tx, { id: action.id, step: taken });
  if (row === null) return;
  const number = taken + 1; // people count from 1
  await escalation.advanceEscalation(tx, {
    id: action.id,
    escalation_step: number,
    next_escalation_at: escalationTime(action.requirement, { requestedAt: row.requested_at, step: number }),
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'action.escalated',
    subject: { type: 'action', id: action.id },
    data: {
      step: number,
      kind: step.kind,
      ...(step.kind === 'group' ? { group: step.group } : {}),
      ...(step.kind === 'thread' ? {} : { told: addressees }),
    },
  });
  await tellStep(tx, { actionId: action.id, step: number, isReminder: step.kind === 'thread', addressees });
}
