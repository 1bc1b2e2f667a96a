import { listActions } from '../../../services/actions/read-actions.ts';
import { getServer } from '../../../services/servers/read-servers.ts';
import { createHistory } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const history: CommandListener = async ({ deps, asker, word }) => {
  const server = word === '' ? undefined : (await getServer(deps.ctx, asker, word)).name;
  const { items } = await listActions(deps.ctx, asker, { server, limit: 20 });
  return createHistory(items, server);
};
