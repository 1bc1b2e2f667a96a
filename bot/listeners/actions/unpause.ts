import { unpauseServer } from '../../../services/servers/unpause-server.ts';
import { createAnswer } from '../../blocks/answer.ts';
import type { ClickListener } from './click.ts';

/** On Home; the value is the server's id. */
export const unpauseClicked: ClickListener = async ({ deps, asker, actionId }) => {
  const server = await unpauseServer(deps.ctx, asker, { server: actionId });
  return createAnswer(`${server.name} is not paused any more. What waits there for approval still waits.`);
};
