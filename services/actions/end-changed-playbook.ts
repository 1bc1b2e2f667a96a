import { transact } from '../../db/orm.ts';
import { recordDecision } from '../../db/repositories/decision.repository.ts';
import { ConflictError } from '../../domain/errors.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import type { ActionView } from './action-view.ts';
import { submitDecision } from './submit-decision.ts';

/**
 * An approval is bound to what was shown. Where the playbook is another one than at the request, or is gone, the
 * action ends as cancelled (`playbook_changed`, by `system`) and ConflictError `playbook_changed` is thrown. Recorded
 * first, as every decision: where Temporal is away the pump ends it.
 */
export async function refuseChangedPlaybook(ctx: Context, action: ActionView): Promise<void> {
  const present = ctx.config.current().playbooks.get(action.playbook);
  if (present?.digest === action.playbookDigest) return;
  const decisionId = `playbook-changed/${action.id}`; // the same for every approver: it ends once
  await transact(ctx.database, (tx) =>
    recordDecision(tx, {
      id: decisionId,
      action_id: action.id,
      kind: 'cancel',
      principal: SYSTEM_ACTOR,
      via: 'workflow',
      code: 'playbook_changed',
    }),
  );
  await submitDecision(ctx, { actionId: action.id, decisionId });
  const what = present === undefined ? 'is gone' : 'is another one';
  const message = `The playbook ${action.playbook} ${what} since this was asked for, so it is cancelled: ask again.`;
  const details = { status: 'cancelled', playbook_digest: action.playbookDigest };
  throw new ConflictError(message, { code: 'playbook_changed', details });
}
