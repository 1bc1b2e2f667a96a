import { listActions } from '../../../services/actions/read-actions.ts';
import { createPendingList } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const pending: CommandListener = async ({ deps, asker }) => {
  const { items } = await listActions(deps.ctx, asker, { status: 'pending', limit: 21 });
  return createPendingList(items.filter(({ approvalsRequired }) => approvalsRequired > 0));
};
