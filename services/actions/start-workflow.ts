import { findActionById } from '../../db/repositories/action.repository.ts';
import { markWorkflowStarted } from '../../db/repositories/workflow.repository.ts';
import { durably } from '../../domain/durable-step.ts';
import type { Context } from '../context.ts';

/**
 * Starts the workflow of an action that stands in the database. May be called again at any time: an id is started
 * once. Where the row is already ahead, the new workflow reads it first. False where Temporal is away.
 */
export async function startWorkflow(ctx: Context, actionId: string): Promise<boolean> {
  const action = await findActionById(ctx.database, actionId);
  if (action === null) return false;
  const answer = await ctx.temporal.startAction({
    actionId,
    isAutomatic: action.approvals_required === 0,
    deadlineAtMs: action.expires_at?.getTime() ?? Date.now(),
    isResumed: action.status !== 'pending',
  });
  if (answer === 'away') return false;
  await durably('action.note_workflow', () => markWorkflowStarted(ctx.database, actionId));
  return true;
}

/** The same for many, one after the other, until Temporal is away. Never throws: the pump starts what is left. */
export async function startWorkflows(ctx: Context, actionIds: readonly string[]): Promise<void> {
  try {
    for (const id of actionIds) if (!(await startWorkflow(ctx, id))) return;
  } catch (error) {
    ctx.log.warn({ err: error }, 'workflows could not be started; the pump will');
  }
}
