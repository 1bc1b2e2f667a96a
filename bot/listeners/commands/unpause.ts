import { unpauseServer } from '../../../services/servers/unpause-server.ts';
import { createAnswer } from '../../blocks/answer.ts';
import type { CommandListener } from './command.ts';

export const unpause: CommandListener = async ({ deps, asker, word }) => {
  const server = await unpauseServer(deps.ctx, asker, { server: word });
  return createAnswer(`${server.name} is not paused any more. What waits there for approval still waits.`);
};
