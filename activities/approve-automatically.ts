import { tellSlack, WAKE_CHANNEL } from '../db/announce.ts';
import { transact } from '../db/orm.ts';
import { transitionAction } from '../db/repositories/action.repository.ts';
import { AUTO_ACTOR, SYSTEM_ACTOR } from '../domain/principal.ts';
import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import { lockActionAndServer, readState } from './action-state.ts';
import type { ActivityDeps } from './action-state.ts';
import { cancelNow } from './cancel-now.ts';

/**
 * pending → approved by `auto`. A server that was paused since the request gets nothing that no person approved: the
 * action ends `cancelled`, code `server_paused`, by who paused it. Under a halt that came since it is approved, waits,
 * and is void at the lift.
 */
export function createApproveAutomatically({ database }: ActivityDeps): ActionActivities['approveAutomatically'] {
  return (actionId) =>
    transact(database, 'action.approve_automatically', async (tx) => {
      const { action, server } = await lockActionAndServer(tx, actionId);
      if (action.status !== 'pending') return readState(tx, action);
      if (server.paused) {
        const by = server.paused_by ?? SYSTEM_ACTOR; // nothing was approved here, so it is not `auto`
        const ended = await cancelNow(tx, action, {
          by,
          via: 'workflow',
          reason: server.pause_reason,
          code: 'server_paused',
        });
        return readState(tx, ended);
      }
      const now = new Date();
      const approved = await transitionAction(tx, {
        id: actionId,
        from: ['pending'],
        to: 'approved',
        set: {
          approved_by: AUTO_ACTOR,
          approved_at: now,
          expires_at: new Date(now.getTime() + action.start_within_s * 1000),
        },
      });
      tx.audit({
        actor: AUTO_ACTOR,
        via: 'workflow',
        event: 'action.approved',
        subject: { type: 'action', id: actionId },
        data: { rule: action.approval_rule?.text ?? null },
      });
      await tellSlack(tx, { actionId });
      tx.notify(WAKE_CHANNEL, server.id);
      return readState(tx, approved ?? action);
    });
}
