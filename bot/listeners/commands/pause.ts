import { pauseServer } from '../../../services/servers/pause-server.ts';
import { createAnswer } from '../../blocks/answer.ts';
import type { CommandListener } from './command.ts';

const NO_REASON = 'No reason was given in Slack.';

export const pause: CommandListener = async ({ deps, asker, word, reason }) => {
  const given = reason === undefined || reason.trim() === '' ? NO_REASON : reason;
  const server = await pauseServer(deps.ctx, asker, { server: word, reason: given });
  return createAnswer(`${server.name} is paused: from now on everything there waits for approval.`);
};
