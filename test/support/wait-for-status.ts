import type { ActionStatus } from '../../domain/lifecycle.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import type { TestControlPlane } from './context.ts';
import { poll } from './poll.ts';

/** The action, once it has this status: a workflow brings it there and tells nobody. */
export function waitForStatus(plane: TestControlPlane, id: string, status: ActionStatus): Promise<ActionView> {
  return poll(`${id} to be ${status}`, async () => {
    const action = await getAction(plane.ctx, plane.asker('root'), id);
    return action.status === status && action;
  });
}
