import { listDeadLetters } from '../../../services/dead-letters/read-dead-letters.ts';
import { getServer } from '../../../services/servers/read-servers.ts';
import { createDeadLetterList } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const deadLetters: CommandListener = async ({ deps, asker, word }) => {
  const server = word === '' ? undefined : (await getServer(deps.ctx, asker, word)).name;
  const { items } = await listDeadLetters(deps.ctx, asker, { server, limit: 20 });
  return createDeadLetterList(items, server);
};
