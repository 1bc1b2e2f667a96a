import { readQueue } from '../../../services/queue/read-queue.ts';
import { createQueueList } from '../../blocks/lists.ts';
import type { CommandListener } from './command.ts';

export const queue: CommandListener = async ({ deps, asker }) =>
  createQueueList(await readQueue(deps.ctx, asker, { limit: 20 }));
