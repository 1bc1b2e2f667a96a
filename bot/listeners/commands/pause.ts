import { pauseServer } from '../../../services/servers/pause-server.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { showDuration } from '../../blocks/text.ts';
import type { CommandListener } from './command.ts';

const NO_REASON = 'No reason was given in Slack.';

export const pause: CommandListener = async ({ deps, asker, word, reason, durationMs }) => {
  const given = reason === undefined || reason.trim() === '' ? NO_REASON : reason;
  const until = durationMs === undefined ? undefined : new Date(Date.now() + durationMs);
  const server = await pauseServer(deps.ctx, asker, { server: word, reason: given, until });
  const end = durationMs === undefined ? '' : ` It ends by itself in ${showDuration(durationMs)}.`;
  return createAnswer(`${server.name} is paused: from now on everything there waits for approval.${end}`);
};
