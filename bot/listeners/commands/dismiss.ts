import { dismissDeadLetter } from '../../../services/dead-letters/dismiss.ts';
import { createAnswer } from '../../blocks/answer.ts';
import type { CommandListener } from './command.ts';

export const dismiss: CommandListener = async ({ deps, asker, word, reason }) => {
  const { playbook, server } = await dismissDeadLetter(deps.ctx, asker, { actionId: word, reason });
  return createAnswer(`${playbook} on ${server} is dismissed: nothing more is to be done about it.`);
};
