import type { Context } from '../context.ts';
import { startWorkflow } from './start-workflow.ts';

/**
 * Tells a workflow a fact that is stored already. Whatever is not delivered now, the pump delivers: nothing is thrown
 * and nothing is lost.
 */
export async function deliverFact(
  ctx: Context,
  fact: { kind: 'executing' | 'result'; actionId: string; commandId: string },
): Promise<void> {
  try {
    const delivery = await ctx.temporal.signalFact(fact);
    if (delivery === 'missing') await startWorkflow(ctx, fact.actionId);
  } catch (error) {
    ctx.log.warn({ err: error, ...fact }, 'a fact could not be delivered to its workflow; the pump will');
  }
}
