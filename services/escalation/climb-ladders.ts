import { tellRung } from '../../db/announce.ts';
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

interface Rung {
  action: ActionView;
  /** How many were climbed before. */
  step: number;
  rung: EscalationStep;
  /** Names of the principals who are written to. */
  addressees: readonly string[];
}

/**
 * Climbs one rung of each ladder that is due. Each rung is climbed once, however many processes try at once, and what
 * it owes is owed in the same transaction. Who is written to is judged here and again when the message is sent.
 */
export async function climbLadders(ctx: Context): Promise<void> {
  for (const id of await escalation.listDueEscalations(ctx.database, BATCH)) {
    try {
      const rung = await findRung(ctx, id);
      if (rung !== null) await transact(ctx.database, (tx) => climb(tx, rung));
    } catch (error) {
      ctx.log.warn({ err: error, action_id: id }, 'a rung could not be climbed; it is tried again');
    }
  }
}

/** Slack may be asked here, so nothing is locked yet. */
async function findRung(ctx: Context, id: string): Promise<Rung | null> {
  const action = await findActionView(ctx, id);
  if (action?.status !== 'pending') return null;
  const { escalationStep: step, requirement } = action;
  const rung = requirement.escalate[step];
  if (rung === undefined) return null;
  return { action, step, rung, addressees: await listAddressees(ctx, { action, rung }) };
}

async function climb(tx: Tx, { action, step, rung, addressees }: Rung): Promise<void> {
  const row = await escalation.claimEscalation(tx, { id: action.id, step });
  if (row === null) return;
  await escalation.advanceEscalation(tx, {
    id: action.id,
    escalation_step: step + 1,
    next_escalation_at: escalationTime(action.requirement, { requestedAt: row.requested_at, step: step + 1 }),
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'workflow',
    event: 'action.escalated',
    subject: { type: 'action', id: action.id },
    data: {
      step: step + 1,
      kind: rung.kind,
      ...(rung.kind === 'group' ? { group: rung.group } : {}),
      ...(rung.kind === 'thread' ? {} : { told: addressees }),
    },
  });
  await tellRung(tx, { actionId: action.id, step: step + 1, isReminder: rung.kind === 'thread', addressees });
}
