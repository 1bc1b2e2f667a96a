import { InvalidInputError } from '../../../domain/errors.ts';
import { replayManyOnce } from '../../../services/dead-letters/replay-many-once.ts';
import { createReplayList } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const replayMany: CommandListener = async ({ deps, asker, named, reason, triggerId }) => {
  const { server, playbook, code } = named;
  const limit = named['limit'] === undefined ? undefined : readLimit(named['limit']);
  const filter = { server, playbook, code };
  const told = await replayManyOnce(deps.ctx, asker, { filter, limit, reason, requestKey: `slack:${triggerId}` });
  return createReplayList(told);
};

function readLimit(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidInputError('limit must be a whole number, such as limit=10.', { code: 'invalid_limit' });
}
