import type { DecisionAnswer } from '../../workflows/contracts/action.contract.ts';
import { transact } from '../../db/orm.ts';
import { findDecisionById, settleDecision } from '../../db/repositories/decision.repository.ts';
import { findActionById } from '../../db/repositories/action.repository.ts';
import type { Via } from '../../domain/audit.ts';
import type { Context } from '../context.ts';
import { startWorkflow } from './start-workflow.ts';

/** What became of a recorded decision. Null: Temporal is away, and the pump submits it again. */
export async function submitDecision(
  ctx: Context,
  input: { actionId: string; decisionId: string },
): Promise<Pick<DecisionAnswer, 'wasApplied' | 'code'> | null> {
  const first = await ctx.temporal.decide(input);
  const isStartable = first.kind === 'missing' && (await startWorkflow(ctx, input.actionId));
  const answer = isStartable ? await ctx.temporal.decide(input) : first;
  switch (answer.kind) {
    case 'answered':
      return answer.answer;
    case 'ended':
      return settleAfterEnd(ctx, input);
    case 'missing':
    case 'away':
      return null;
  }
}

/** The validator refused without a trace, or the workflow was over: the row says so, and the answer must too. */
async function settleAfterEnd(
  ctx: Context,
  input: { actionId: string; decisionId: string },
): Promise<Pick<DecisionAnswer, 'wasApplied' | 'code'>> {
  const decision = await findDecisionById(ctx.database, input.decisionId);
  if (decision?.status === 'applied') return { wasApplied: true, code: null };
  if (decision?.status === 'refused') return { wasApplied: false, code: decision.code };
  const action = await findActionById(ctx.database, input.actionId);
  await transact(ctx.database, 'decision.settle', async (tx) => {
    const settled = await settleDecision(tx, { id: input.decisionId, status: 'refused', code: 'already_ended' });
    if (settled === null || decision === null) return;
    if (decision.code !== null) return; // nobody asked for it: it came with a pause
    tx.audit({
      actor: decision.principal,
      via: decision.via as Via,
      event: 'decision.refused',
      subject: { type: 'action', id: input.actionId },
      data: { kind: decision.kind, code: 'already_ended', status: action?.status ?? null, decision_id: decision.id },
    });
  });
  return { wasApplied: false, code: 'already_ended' };
}
