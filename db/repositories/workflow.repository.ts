import { sql } from 'kysely';
import type { ActionRow } from './action.repository.ts';
import type { Source } from './source.ts';

/* What the workflow of an action has taken over, and what it should have. */

export async function markWorkflowStarted(source: Source, actionId: string): Promise<void> {
  await source.kysely
    .updateTable('actions')
    .set({ workflow_started_at: new Date() })
    .where('id', '=', actionId)
    .where('workflow_started_at', 'is', null)
    .execute();
}

/** Requested, not ended, and no workflow known to run yet: what a pump has to start. Oldest first. */
export function listActionsWithoutWorkflow(source: Source, limit: number): Promise<ActionRow[]> {
  return source.kysely
    .selectFrom('actions')
    .selectAll()
    .where('workflow_started_at', 'is', null)
    .where('status', 'in', ['pending', 'approved', 'executing'])
    .orderBy('requested_at')
    .limit(limit)
    .execute();
}

/** Commands that an agent holds and whose action does not say so yet. */
export function listUnheardCommands(source: Source, limit: number): Promise<{ id: string; action_id: string }[]> {
  return source.kysely
    .selectFrom('commands')
    .innerJoin('actions', 'actions.id', 'commands.action_id')
    .select(['commands.id', 'commands.action_id'])
    .where('commands.state', '=', 'running')
    .where((eb) => eb.or([eb('actions.status', '=', 'approved'), eb('actions.next_attempt_at', 'is not', null)]))
    .limit(limit)
    .execute();
}

/** Actions whose workflow should have ended them more than `overdueS` ago. */
export async function listOverdueActions(
  source: Source,
  input: { overdueS: number; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from actions
    where status in ('pending', 'approved', 'executing')
      and case when next_attempt_at is null
          then coalesce(executed_at + (timeout_s + 60) * interval '1 second', expires_at) else expires_at end
        < now() - ${input.overdueS} * interval '1 second'
    limit ${input.limit}
  `.execute(source.kysely);
  return rows.map(({ id }) => id);
}
