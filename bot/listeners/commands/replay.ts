import { replayAction } from '../../../services/dead-letters/replay.ts';
import { createAnswer } from '../../blocks/answer.ts';
import type { CommandListener } from './command.ts';

export const replay: CommandListener = async ({ deps, asker, word, reason, triggerId }) => {
  const requestKey = `slack:${triggerId}`;
  const { sentence } = await replayAction(deps.ctx, asker, { actionId: word, reason, requestKey });
  return createAnswer(sentence);
};
