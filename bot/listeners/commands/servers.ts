import { listServers } from '../../../services/servers/read-servers.ts';
import { createServerList } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const servers: CommandListener = async ({ deps, asker }) => {
  const { items } = await listServers(deps.ctx, asker, { limit: 21 });
  return createServerList(items);
};
