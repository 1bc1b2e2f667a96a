import { transact } from '../../db/orm.ts';
import { recordDecision } from '../../db/repositories/decision.repository.ts';
import { ConflictError } from '../../domain/errors.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import type { ActionView } from './action-view.ts';
import { conflict } from './check-decision.ts';
import { findActionView } from './read-actions.ts';
import { submitDecision } from './submit-decision.ts';

/**
 * An approval is bound to what was shown. Where the playbook is another one than at the request, or is gone, the
 * action ends as cancelled (`playbook_changed`, by `system`) and ConflictError `playbook_changed` is thrown. Recorded
 * first, as every decision: where Temporal is away the pump ends it. Where somebody's approval was faster, or it has
 * ended, ConflictError says that.
 */
export async function refuseChangedPlaybook(ctx: Context, action: ActionView): Promise<void> {
  const present = ctx.config.current().playbooks.get(action.playbook);
  if (present?.digest === action.playbookDigest) return;
  const decisionId = `playbook-changed/${action.id}`; // the same for every approver: it ends once
  await transact(ctx.database, 'action.end_changed', (tx) =>
    recordDecision(tx, {
      id: decisionId,
      action_id: action.id,
      kind: 'cancel',
      principal: SYSTEM_ACTOR,
      via: 'workflow',
      code: 'playbook_changed',
    }),
  );
  const answer = await submitDecision(ctx, { actionId: action.id, decisionId });
  const now = (await findActionView(ctx, action.id)) ?? action;
  if (answer?.wasApplied === false) throw conflict(now, answer.code ?? 'already_decided');
  const what = present === undefined ? 'is gone' : 'is another one';
  const end = answer === null ? 'it will be cancelled once Temporal is back' : 'it is cancelled';
  const message = `The playbook ${action.playbook} ${what} since this was asked for, so ${end}: ask again.`;
  const details = { status: now.status, playbook_digest: action.playbookDigest };
  throw new ConflictError(message, { code: 'playbook_changed', details });
}
