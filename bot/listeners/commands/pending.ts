import { listWaitingActions } from '../../../services/actions/read-actions.ts';
import { createPendingList } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const pending: CommandListener = async ({ deps, asker }) =>
  createPendingList(await listWaitingActions(deps.ctx, asker, 21));
